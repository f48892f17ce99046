-- Asking for a repair: what can be repaired at a place is what the server has code actions for.
local api = require("suture.client")
local say = require("suture.say")

local M = {}

---@param answer {job?: string, state?: string, offer?: string, refused?: string}
local function begun(answer)
  local offer = answer.offer and require("suture.offers").get(answer.offer)
  if answer.refused then
    say.warn(answer.refused)
  elseif offer then
    require("suture.offers").decide(offer)
  elseif answer.state == "joined" then
    say.info("an agent is at work on it already")
  elseif answer.state == "queued" then
    say.info("waiting for its turn")
  end
end

---@param answer {jobs: string[], refused?: string}
local function begun_all(answer)
  if answer.refused then
    say.warn(answer.refused)
  else
    say.info(#answer.jobs == 0 and "nothing to fix" or ("%d at work; each fix is offered on its own"):format(#answer.jobs))
  end
end

-- Neovim drops the answers to commands of its code action menu, and with them the reason why nothing is done.
---@type table<string, fun(command: lsp.Command, context: table)>
M.client_commands = {
  -- The entry of a fix of several files: Neovim itself would apply a part of it and say nothing.
  ["suture.accept"] = function(command, context)
    local argument = command.arguments[1]
    local offer = require("suture.offers").get(argument.offer)
    if offer then
      require("suture.offers").accept(offer)
    else
      api.execute(assert(vim.lsp.get_client_by_id(context.client_id)), command.command, argument)
    end
  end,
  ["suture.fix"] = function(command, context)
    api.execute(assert(vim.lsp.get_client_by_id(context.client_id)), command.command, command.arguments[1], begun)
  end,
  ["suture.fixAll"] = function(command, context)
    api.execute(assert(vim.lsp.get_client_by_id(context.client_id)), command.command, command.arguments[1], begun_all)
  end,
}

---What Neovim shows on a line, whoever says so, as the protocol has it.
---@param bufnr integer
---@param line integer
---@param client vim.lsp.Client
local function diagnostics(bufnr, line, client)
  local function place(row, column)
    local text = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ""
    local before = text:sub(1, column)
    if client.offset_encoding ~= "utf-8" then
      local wide, utf16 = vim.str_utfindex(before)
      return { line = row, character = client.offset_encoding == "utf-16" and utf16 or wide }
    end
    return { line = row, character = #before }
  end
  return vim.tbl_map(function(each)
    return each.user_data and each.user_data.lsp
      or {
        range = { start = place(each.lnum, each.col), ["end"] = place(each.end_lnum or each.lnum, each.end_col or each.col) },
        message = each.message,
        source = each.source,
        code = each.code,
      }
  end, vim.diagnostic.get(bufnr, { lnum = line }))
end

---@param client vim.lsp.Client
---@param action lsp.CodeAction
local function run(client, action)
  local argument = action.command.arguments[1]
  if argument.offer then
    begun({ offer = argument.offer })
  else
    api.execute(client, action.command.command, argument, begun)
  end
end

---@param actions lsp.CodeAction[]
local function choose(client, actions)
  if #actions == 1 then
    run(client, actions[1])
    return
  end
  local options = {
    prompt = "Fix with agent:",
    kind = "codeaction",
    format_item = function(action)
      return action.title
    end,
  }
  vim.ui.select(actions, options, function(action)
    if action then
      run(client, action)
    end
  end)
end

local function nothing(client)
  local unable = require("suture.status").unable(client.id)
  say.info(unable ~= "" and unable or "nothing to fix on this line, or an agent is at work on it")
end

---Repair what fails at the cursor.
function M.fix()
  local client = api.wanted()
  if not client then
    return
  end
  local bufnr, line = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)[1] - 1
  local place = { line = line, character = 0 }
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    range = { start = place, ["end"] = place },
    context = { diagnostics = diagnostics(bufnr, line, client), only = { "quickfix" }, triggerKind = 1 },
  }
  api.request(client, "textDocument/codeAction", params, function(err, found)
    if err then
      say.warn(err.message)
    elseif type(found) == "table" and #found > 0 then
      choose(client, found)
    else
      nothing(client)
    end
  end, bufnr)
end

---Repair all that fails in the file, or in the workspace.
---@param workspace boolean
function M.fix_all(workspace)
  local client = api.wanted()
  if client then
    api.execute(client, "suture.fixAll", workspace and api.workspace(client) or api.here(), begun_all)
  end
end

---The problem at the cursor, as the server names it.
---@return string?
function M.problem()
  for _, each in ipairs(vim.diagnostic.get(0, { lnum = vim.api.nvim_win_get_cursor(0)[1] - 1 })) do
    local data = vim.tbl_get(each, "user_data", "lsp", "data")
    if type(data) == "table" and data.mark then
      return data.mark
    end
  end
end

return M
