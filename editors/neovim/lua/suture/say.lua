-- Messages. All of them are kept for `:Suture log`; where Neovim itself shows them they are cut to what fits on its line, since a longer
-- one stops the person who types until they press Enter.
local M = {}

local MOST = 1000
local kept = {} ---@type string[]

---@param text string
function M.keep(text)
  for _, line in ipairs(vim.split(text, "\n", { plain = true })) do
    kept[#kept + 1] = ("%s  %s"):format(os.date("%H:%M:%S"), line)
  end
  if #kept > 2 * MOST then
    kept = vim.list_slice(kept, #kept - MOST + 1)
  end
end

---@return string[]
function M.kept()
  return kept
end

local function shown_by_neovim()
  return debug.getinfo(vim.notify, "S").source:find("vim/_editor.lua", 1, true) ~= nil
end

---What fits on Neovim's line for messages.
---@param text string
---@param hint? string where the rest is to be read
---@return string
function M.cut(text, hint)
  local line, more = text:gsub("%s*\n.*", "")
  local room = math.max(20, vim.v.echospace)
  if more == 0 and vim.fn.strdisplaywidth(line) <= room then
    return line
  end
  hint = hint or " … (:Suture log)"
  while vim.fn.strdisplaywidth(line) > room - vim.fn.strdisplaywidth(hint) do
    line = vim.fn.strcharpart(line, 0, vim.fn.strchars(line) - 1)
  end
  return line .. hint
end

---@param text string
---@param level integer
local function say(text, level)
  text = text:find("^suture") and text or ("suture: " .. text)
  M.keep(text)
  vim.notify(shown_by_neovim() and M.cut(text) or text, level, { title = "suture" })
end

---@param text string
function M.info(text)
  say(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  say(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  say(text, vim.log.levels.ERROR)
end

return M
