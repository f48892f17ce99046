-- An offer side by side: one tab a file, before on the left, after on the right, in Neovim's own diff mode.
local offers = require("suture.offers")

local M = {}

local open = {} ---@type table<string, integer[]> Offer -> its tabs

---@param text string|vim.NIL
---@return string[]
function M.lines(text)
  if text == vim.NIL or text == nil or text == "" then
    return {}
  end
  local lines = vim.split((text:gsub("\r\n", "\n")), "\n", { plain = true })
  if lines[#lines] == "" then
    lines[#lines] = nil
  end
  return lines
end

---@param offer suture.Offer
---@param file suture.DiffFile
local function map(bufnr, offer, file)
  local keys = {
    A = { "accept the fix", offers.accept, offer },
    F = { "accept this file only", offers.accept, offer, { file.path } },
    R = { "reject the fix", offers.reject, offer },
    q = { "close", M.close, offer.id },
  }
  for key, does in pairs(keys) do
    vim.keymap.set("n", key, function()
      does[2](does[3], does[4])
    end, { buffer = bufnr, nowait = true, desc = "suture: " .. does[1] })
  end
end

---@param side "before"|"after"
---@param text string|vim.NIL
local function fill(side, offer, file, text)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(bufnr, ("%s (%s, %s)"):format(file.path, side, offer.id:sub(-4)))
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, M.lines(text))
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].modifiable = false
  vim.b[bufnr].suture_offer = offer.id
  map(bufnr, offer, file)
  vim.api.nvim_win_set_buf(0, bufnr)
  local filetype = vim.filetype.match({ filename = file.path })
  if filetype then
    -- Of a file type only the colours are wanted: language servers have no business with these texts.
    vim.bo[bufnr].syntax = filetype
  end
  vim.cmd.diffthis()
end

local function title(text)
  vim.wo[0][0].winbar = text:gsub("%%", "%%%%")
end

---@param offer suture.Offer
---@param file suture.DiffFile
---@param number string
local function show(offer, file, number)
  vim.cmd.tabnew()
  local unnamed = vim.api.nvim_get_current_buf()
  fill("before", offer, file, file.before)
  title(("%s%s  before"):format(number, file.path))
  vim.cmd("rightbelow vsplit")
  fill("after", offer, file, file.after)
  title("after  A accept · F this file only · R reject · q close")
  if vim.api.nvim_buf_is_valid(unnamed) and vim.api.nvim_buf_get_name(unnamed) == "" then
    vim.api.nvim_buf_delete(unnamed, {})
  end
  pcall(vim.cmd.normal, { "gg]c", bang = true })
  table.insert(open[offer.id], vim.api.nvim_get_current_tabpage())
end

---@param offer suture.Offer
function M.open(offer)
  M.close(offer.id)
  offers.execute(offer, "suture.diff", {}, function(answer)
    open[offer.id] = {}
    for number, file in ipairs(answer.files) do
      show(offer, file, #answer.files > 1 and ("%d of %d  "):format(number, #answer.files) or "")
    end
    local first = open[offer.id][1]
    if first then
      vim.api.nvim_set_current_tabpage(first)
    end
    offers.execute(offer, "suture.seen", {})
  end)
end

---Close the tabs of an offer; nothing where it has none.
---@param id string
function M.close(id)
  local tabs = open[id] or {}
  open[id] = nil
  for _, tab in ipairs(tabs) do
    if vim.api.nvim_tabpage_is_valid(tab) then
      for _, window in ipairs(vim.api.nvim_tabpage_list_wins(tab)) do
        if vim.b[vim.api.nvim_win_get_buf(window)].suture_offer == id then
          pcall(vim.api.nvim_win_close, window, true)
        end
      end
    end
  end
end

return M
