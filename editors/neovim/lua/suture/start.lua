-- Starting the server: by vim.lsp.enable where there is one (0.11), else by an autocommand over the same configuration.
local say = require("suture.say")

local M = {}

M.at_least = "0.1.0"

---@return table
local function configuration()
  if vim.lsp.config then
    return vim.lsp.config.suture
  end
  local found = vim.api.nvim_get_runtime_file("lsp/suture.lua", false)[1]
  return vim.tbl_extend("force", dofile(found), { name = "suture" })
end

---The words that start the server.
---@return string[]
function M.cmd()
  local cmd = configuration().cmd
  return type(cmd) == "table" and cmd or require("suture.config").options.cmd
end

---Why the server cannot be started; nil where it can.
---@return string?
function M.missing()
  local program = M.cmd()[1]
  if vim.fn.executable(program) == 0 then
    return ("the server is not installed: there is no program %q. "):format(program)
      .. "Install it (pipx install '.[local]' in a clone of suture), or say where it is: "
      .. 'require("suture").setup({ cmd = { "/path/to/suture", "lsp" } }). :checkhealth suture says more'
  end
end

local function start(bufnr)
  local config = configuration()
  config.root_dir = vim.fs.root(bufnr, config.root_markers)
  vim.lsp.start(config, { bufnr = bufnr })
end

local function by_autocommand()
  local group = vim.api.nvim_create_augroup("suture.enable", {})
  vim.api.nvim_create_autocmd("FileType", {
    group = group,
    pattern = configuration().filetypes,
    callback = function(event)
      if vim.bo[event.buf].buftype == "" then
        start(event.buf)
      end
    end,
  })
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local filetype = vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].buftype == "" and vim.bo[bufnr].filetype
    if filetype and vim.tbl_contains(configuration().filetypes, filetype) then
      start(bufnr)
    end
  end
end

local function stop()
  vim.api.nvim_create_augroup("suture.enable", {})
  vim.lsp.stop_client(require("suture.client").all())
end

---@param on boolean
function M.enable(on)
  local why = on and M.missing()
  if why then
    say.warn(why)
  elseif vim.lsp.enable then
    vim.lsp.enable("suture", on)
  elseif on then
    by_autocommand()
  else
    stop()
  end
end

return M
