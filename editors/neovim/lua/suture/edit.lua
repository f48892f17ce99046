-- Applying an edit of the server: all of it, or nothing. Neovim compares the version of the first file only, skips that file where it is
-- another one, and tells the server that all was applied.
local M = {}

---@param params lsp.ApplyWorkspaceEditParams
---@return string? The file whose text is newer than the edit
local function newer(params)
  for _, change in ipairs(params.edit.documentChanges or {}) do
    local document = change.textDocument
    if document and type(document.version) == "number" then
      local bufnr = vim.uri_to_bufnr(document.uri)
      if vim.lsp.util.buf_versions[bufnr] ~= document.version then
        return vim.uri_to_fname(document.uri)
      end
    end
  end
end

---@param params lsp.ApplyWorkspaceEditParams
---@return string? The file that cannot be written to
local function locked(params)
  for _, change in ipairs(params.edit.documentChanges or {}) do
    local bufnr = change.textDocument and vim.uri_to_bufnr(change.textDocument.uri)
    if bufnr and vim.api.nvim_buf_is_loaded(bufnr) and not vim.bo[bufnr].modifiable then
      return vim.uri_to_fname(change.textDocument.uri)
    end
  end
end

function M.apply(err, params, context)
  local late, fixed = newer(params), locked(params)
  if late then
    return { applied = false, failureReason = ("%s has changed meanwhile"):format(vim.fn.fnamemodify(late, ":.")) }
  elseif fixed then
    return { applied = false, failureReason = ("the buffer of %s is not modifiable"):format(vim.fn.fnamemodify(fixed, ":.")) }
  end
  local quiet = vim.tbl_extend("force", {}, params)
  quiet.label = nil -- Neovim would print it over the message that says what was applied
  return vim.lsp.handlers["workspace/applyEdit"](err, quiet, context)
end

return M
