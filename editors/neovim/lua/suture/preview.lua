-- An offer in the text that it changes: what goes is marked, what comes stands below it as virtual lines. It is gone with the next change.
local offers = require("suture.offers")

local M = {}

local space = vim.api.nvim_create_namespace("suture.preview")
local shown = {} ---@type table<string, integer[]> Offer -> buffers

---@param lines string[]
---@param first integer
---@param count integer
local function virtual(lines, first, count)
  local found = {}
  for number = first, first + count - 1 do
    found[#found + 1] = { { "+ " .. lines[number], "DiffAdd" } }
  end
  return found
end

---@param bufnr integer
---@param file suture.DiffFile
---@return integer? The first line that changes
local function draw(bufnr, file)
  local lines = require("suture.diff").lines
  local before, after = lines(file.before), lines(file.after)
  local hunks = vim.diff(table.concat(before, "\n") .. "\n", table.concat(after, "\n") .. "\n", { result_type = "indices" })
  local first
  for _, hunk in ipairs(hunks) do
    local start, count, new_start, new_count = unpack(hunk)
    for line = start, start + count - 1 do
      vim.api.nvim_buf_set_extmark(bufnr, space, line - 1, 0, { line_hl_group = "DiffDelete" })
    end
    if new_count > 0 then
      local above = count == 0 and start == 0
      local line = above and 0 or start + math.max(count, 1) - 2
      vim.api.nvim_buf_set_extmark(bufnr, space, line, 0, { virt_lines = virtual(after, new_start, new_count), virt_lines_above = above })
    end
    first = first or math.max(start, 1)
  end
  return first
end

local function clear_when_changed(bufnr, id)
  vim.api.nvim_buf_attach(bufnr, false, {
    on_lines = function()
      vim.schedule(function()
        M.clear(id)
      end)
      return true
    end,
  })
end

---@param offer suture.Offer
---@param file suture.DiffFile
---@param go boolean
local function preview(offer, file, go)
  local bufnr = vim.uri_to_bufnr(file.uri)
  if go then
    vim.lsp.util.show_document({ uri = file.uri }, "utf-8", { focus = true })
  elseif not vim.api.nvim_buf_is_loaded(bufnr) then
    return
  end
  local first = draw(bufnr, file)
  table.insert(shown[offer.id], bufnr)
  vim.b[bufnr].suture_offer = offer.id
  clear_when_changed(bufnr, offer.id)
  if go and first then
    vim.api.nvim_win_set_cursor(0, { math.min(first, vim.api.nvim_buf_line_count(bufnr)), 0 })
  end
end

---@param offer suture.Offer
---@param go boolean Whether to go to its first file; else only what is loaded already is marked
function M.show(offer, go)
  M.clear(offer.id)
  offers.execute(offer, "suture.diff", {}, function(answer)
    shown[offer.id] = {}
    local there = vim.tbl_filter(function(file)
      return file.before ~= vim.NIL
    end, answer.files)
    for number = #there, 1, -1 do
      preview(offer, there[number], go and number == 1)
    end
    offers.execute(offer, "suture.seen", {})
  end)
end

---@param id string
---@return boolean Whether there was something
function M.clear(id)
  local buffers = shown[id]
  shown[id] = nil
  for _, bufnr in ipairs(buffers or {}) do
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.api.nvim_buf_clear_namespace(bufnr, space, 0, -1)
      vim.b[bufnr].suture_offer = nil
    end
  end
  return buffers ~= nil
end

return M
