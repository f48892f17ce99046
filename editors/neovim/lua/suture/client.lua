-- The running server: finding it, and asking it.
local say = require("suture.say")

local M = {}

---@return vim.lsp.Client[]
function M.all()
  return vim.lsp.get_clients({ name = "suture" })
end

---The server of the current buffer; in buffers that have none, the one that runs.
---@return vim.lsp.Client?
function M.current()
  return vim.lsp.get_clients({ name = "suture", bufnr = 0 })[1] or M.all()[1]
end

---As `current`; says why where there is none.
---@return vim.lsp.Client?
function M.wanted()
  local client = M.current()
  if not client then
    say.warn(require("suture.start").missing() or "the server does not run here: open a Python file, or start it with :Suture enable")
  end
  return client
end

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param handler fun(err: lsp.ResponseError?, result: any)
---@param bufnr? integer
function M.request(client, method, params, handler, bufnr)
  if vim.fn.has("nvim-0.11") == 1 then
    client:request(method, params, handler, bufnr)
  else
    client.request(method, params, handler, bufnr)
  end
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if vim.fn.has("nvim-0.11") == 1 then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---Run a command of the server; an error is shown and not passed on.
---@param client vim.lsp.Client
---@param name string As in docs/language-server.md
---@param argument table<string, any>
---@param done? fun(result: any)
function M.execute(client, name, argument, done)
  local given = next(argument) and argument or vim.empty_dict()
  M.request(client, "workspace/executeCommand", { command = name, arguments = { given } }, function(err, result)
    if err then
      say.warn(err.message)
    elseif done then
      done(result ~= vim.NIL and result or nil)
    end
  end)
end

---The address of the current file where it is one, for commands that take a workspace or a file.
---@return table<string, string>
function M.here()
  if vim.bo.buftype == "" and vim.api.nvim_buf_get_name(0) ~= "" then
    return { uri = vim.uri_from_bufnr(0) }
  end
  return {}
end

---The address of the workspace of the current buffer.
---@param client vim.lsp.Client
---@return table<string, string>
function M.workspace(client)
  local folder = (client.workspace_folders or {})[1]
  return folder and { root = folder.uri } or M.here()
end

return M
