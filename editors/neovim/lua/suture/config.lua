-- The options, with what they are by default.
local M = {}

---@type suture.Options
M.options = {
  cmd = { "suture", "lsp" },
  settings = {},
  trusted = true,
  on_offer = "notify",
  progress = true,
  save = false,
}

local KINDS = {
  cmd = { "table" },
  settings = { "table" },
  trusted = { "boolean", "function" },
  on_offer = { "string", "function" },
  progress = { "boolean" },
  save = { "boolean" },
}
local ON_OFFER = { "notify", "select", "diff", "preview", "nothing" }

---@param options suture.Options
function M.set(options)
  for key, value in pairs(options) do
    local kinds = KINDS[key]
    if not kinds then
      error(("suture: there is no option %q; there are %s"):format(key, table.concat(vim.fn.sort(vim.tbl_keys(KINDS)), ", ")), 0)
    end
    if not vim.tbl_contains(kinds, type(value)) then
      error(("suture: the option %s must be a %s"):format(key, table.concat(kinds, " or a ")), 0)
    end
  end
  if type(options.on_offer) == "string" and not vim.tbl_contains(ON_OFFER, options.on_offer) then
    error(("suture: on_offer must be a function or one of %s"):format(table.concat(ON_OFFER, ", ")), 0)
  end
  for key, value in pairs(options) do
    M.options[key] = value
  end
end

---@param root? string
---@return boolean
function M.trusts(root)
  local trusted = M.options.trusted
  if type(trusted) == "function" then
    return trusted(root) == true
  end
  return trusted == true
end

return M
