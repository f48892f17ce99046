-- `:Suture NAME ...`: one file of lua/suture/commands a name.
local say = require("suture.say")

local M = {}

---In the order in which they are completed.
M.names = {
  "fix",
  "fix_all",
  "check",
  "offers",
  "accept",
  "reject",
  "diff",
  "preview",
  "cancel",
  "episode",
  "log",
  "restart",
  "enable",
  "trust",
}

---@param name string
---@return suture.Command?
local function load(name)
  return vim.tbl_contains(M.names, name) and require("suture.commands." .. name) or nil
end

---@param call {fargs: string[]}
function M.run(call)
  local name = call.fargs[1]
  local command = load(name)
  if command then
    command.run(vim.list_slice(call.fargs, 2))
  else
    say.error(("there is no :Suture %s; there are %s"):format(name, table.concat(M.names, ", ")))
  end
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line:gsub("^.-Suture!?%s+", ""), "%s+")
  local found = M.names
  if #words > 1 then
    local command = load(words[1])
    found = command and command.complete and command.complete(vim.list_slice(words, 2, #words - 1)) or {}
  end
  return vim.tbl_filter(function(each)
    return vim.startswith(each, lead)
  end, found)
end

return M
