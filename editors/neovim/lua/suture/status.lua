-- What goes on, from `suture/status` and the progress of the jobs.
local M = {}

local known = {} ---@type table<integer, table<string, suture.Status>>
local progress = {} ---@type table<integer, table<string, string>>
local listening = false
local shown = ""

---Whether a plugin or the person's own configuration shows what language servers do.
local function shown_elsewhere()
  local ours = vim.api.nvim_create_augroup("suture.progress", { clear = false })
  for _, each in ipairs(vim.api.nvim_get_autocmds({ event = "LspProgress" })) do
    if each.group ~= ours then
      return true
    end
  end
  return false
end

---The work at hand in the line for messages: without a statusline component a repair of a minute would look like nothing at all.
local function show()
  local text = M.line(true)
  if text == "" or text == shown or not require("suture.config").options.progress or shown_elsewhere() then
    return
  end
  local mode = vim.api.nvim_get_mode()
  if mode.mode == "n" and not mode.blocking then
    shown = text
    vim.api.nvim_echo({ { require("suture.say").cut(text, "") } }, false, {})
  end
end

local function redraw()
  vim.schedule(function()
    vim.cmd.redrawstatus({ bang = true })
    show()
  end)
end

---The work that Neovim is told of: its last line is the most exact thing to show.
local function listen()
  if listening then
    return
  end
  listening = true
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup("suture.progress", {}),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == "suture" then
        local jobs = progress[client.id] or {}
        progress[client.id] = jobs
        local params = event.data.params or event.data.result
        jobs[tostring(params.token)] = params.value.kind ~= "end" and (params.value.message or params.value.title) or nil
        redraw()
      end
    end,
  })
end

---@param told suture.Status
---@param client_id integer
function M.told(told, client_id)
  listen()
  known[client_id] = known[client_id] or {}
  known[client_id][told.root] = told
  redraw()
end

---@param client_id integer
function M.forget(client_id)
  known[client_id], progress[client_id] = nil, nil
  redraw()
end

---Why nothing can be repaired at the moment; empty where it can, or where nothing is known.
---@param client_id integer
---@return string
function M.unable(client_id)
  for _, each in pairs(known[client_id] or {}) do
    if each.message ~= "" then
      return each.message
    end
  end
  return ""
end

local function counted(number, word)
  return ("%d %s%s"):format(number, word, number == 1 and "" or "s")
end

---@param client_id integer
---@param work? boolean only what is being repaired
---@return string[]
local function parts(client_id, work)
  local checking, repairing, queued, offers, problems, down, untrusted = {}, 0, 0, 0, 0, false, false
  for _, each in pairs(known[client_id] or {}) do
    vim.list_extend(checking, each.checking)
    repairing, queued, offers = repairing + each.repairing, queued + each.queued, offers + each.offers
    problems = problems + (each.problems or 0)
    down, untrusted = down or each.policy == "down", untrusted or not each.trusted
  end
  local found = {}
  if untrusted and not work then
    found[#found + 1] = "not trusted"
  end
  if repairing + queued > 0 then
    local active = vim.tbl_filter(function(line)
      return queued == 0 or not vim.startswith(line, "waiting for its turn")
    end, vim.tbl_values(progress[client_id] or {}))
    local waiting = queued > 0 and (", %d waiting"):format(queued) or ""
    found[#found + 1] = (#active == 1 and active[1] or ("repairing %d"):format(repairing)) .. waiting
  elseif #checking > 0 and not work then
    found[#found + 1] = "checking " .. table.concat(checking, ", ")
  end
  if work then
    return found
  end
  if offers > 0 then
    found[#found + 1] = counted(offers, "offer")
  end
  if problems > 0 and repairing + queued == 0 then
    found[#found + 1] = counted(problems, "problem")
  end
  if down then
    found[#found + 1] = "policy down"
  end
  return found
end

---@param work? boolean only what is being repaired
---@return string
function M.line(work)
  local client = vim.lsp.get_clients({ name = "suture", bufnr = 0 })[1] or vim.lsp.get_clients({ name = "suture" })[1]
  local found = client and parts(client.id, work) or {}
  return #found > 0 and "suture: " .. table.concat(found, " · ") or ""
end

return M
