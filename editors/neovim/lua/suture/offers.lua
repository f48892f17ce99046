-- The offers as the server told them: showing them, choosing among them, deciding about them.
local api = require("suture.client")
local say = require("suture.say")

local M = {}

local OPEN = { ready = true, moved = true, proving = true }
local known = {} ---@type suture.Offer[]
local shown = {} ---@type table<string, boolean>

---@type table<string, fun(offer: suture.Offer)>
local SHOWN = {
  nothing = function() end,
  notify = function(offer)
    say.info(offer.title .. " (:Suture diff)")
  end,
  select = function(offer)
    M.decide(offer)
  end,
  diff = function(offer)
    require("suture.diff").open(offer)
  end,
  preview = function(offer)
    require("suture.preview").show(offer, false)
  end,
}

---@param offer suture.Offer
local function remember(offer)
  for number, each in ipairs(known) do
    if each.id == offer.id then
      known[number] = offer
      return
    end
  end
  known[#known + 1] = offer
end

local function close_views(offer)
  require("suture.diff").close(offer.id)
  require("suture.preview").clear(offer.id)
end

---`suture/offer`
---@param told {state: suture.OfferState, reason: string, offer: suture.Offer}
---@param client_id integer
function M.told(told, client_id)
  local offer = vim.tbl_extend("force", told.offer, { client_id = client_id })
  remember(offer)
  if OPEN[offer.state] then
    -- One that is told while the text moves is proven again first, and told again.
    if offer.state == "ready" and not shown[offer.id] then
      shown[offer.id] = true
      local how = require("suture.config").options.on_offer
      local show = type(how) == "function" and how or SHOWN[how]
      show(offer)
    end
    return
  end
  close_views(offer)
  if told.state == "expired" or told.state == "withdrawn" then
    say.info(("an offer is %s: %s%s"):format(told.state, offer.title, told.reason ~= "" and (" (%s)"):format(told.reason) or ""))
  end
end

---@param client_id integer
function M.forget(client_id)
  known = vim.tbl_filter(function(offer)
    return offer.client_id ~= client_id
  end, known)
end

---@return suture.Offer[]
function M.standing()
  return vim.tbl_filter(function(offer)
    return OPEN[offer.state] == true
  end, known)
end

---@param id string
---@return suture.Offer?
function M.get(id)
  for _, offer in ipairs(M.standing()) do
    if offer.id == id then
      return offer
    end
  end
end

---@param offer suture.Offer
---@return string
function M.label(offer)
  local paths = {}
  for _, file in ipairs(offer.files) do
    paths[#paths + 1] = ("%s +%d -%d"):format(file.path, file.added, file.removed)
  end
  return ("%s  [%s]%s"):format(offer.title, table.concat(paths, ", "), offer.state == "ready" and "" or " (" .. offer.state .. ")")
end

---Go on with one offer: the one that is named, the one that is looked at, the only one, or the one that is chosen.
---@param id? string
---@param go_on fun(offer: suture.Offer)
function M.pick(id, go_on)
  local standing = M.standing()
  local looked_at = M.get(id or vim.b.suture_offer or "")
  if looked_at or #standing == 1 then
    go_on(looked_at or standing[1])
  elseif #standing == 0 then
    if api.wanted() then
      say.info("there is no offer")
    end
  else
    M.choose(standing, go_on)
  end
end

---@param among suture.Offer[]
---@param go_on fun(offer: suture.Offer)
function M.choose(among, go_on)
  vim.ui.select(among, { prompt = "Proven fixes:", kind = "suture_offer", format_item = M.label }, function(chosen)
    if chosen then
      go_on(chosen)
    end
  end)
end

---@param offer suture.Offer
---@param name string
---@param argument table<string, any>
---@param done? fun(result: any)
function M.execute(offer, name, argument, done)
  local client = vim.lsp.get_client_by_id(offer.client_id)
  if client then
    api.execute(client, name, vim.tbl_extend("force", { offer = offer.id }, argument), done)
  else
    say.warn("the server that made this offer does not run any more; it is offered again when it is started")
  end
end

local function save(offer, files)
  for _, file in ipairs(offer.files) do
    local bufnr = vim.uri_to_bufnr(file.uri)
    if file.kind ~= "delete" and vim.api.nvim_buf_is_loaded(bufnr) and (#files == 0 or vim.tbl_contains(files, file.path)) then
      vim.api.nvim_buf_call(bufnr, function()
        vim.cmd("silent update")
      end)
    end
  end
end

---@param offer suture.Offer
---@param files? string[] Some of its files; all where there are none
function M.accept(offer, files)
  files = files or {}
  M.execute(offer, "suture.accept", #files > 0 and { files = files } or {}, function(answer)
    if not answer.applied then
      say.warn("not applied: " .. answer.reason)
      return
    end
    if require("suture.config").options.save then
      save(offer, files)
    end
    local paths = #files > 0 and files or vim.tbl_map(function(file)
      return file.path
    end, offer.files)
    say.info(("applied to %s%s"):format(table.concat(paths, ", "), require("suture.config").options.save and "" or " (:wall writes)"))
  end)
end

---@param offer suture.Offer
---@param reason? string
function M.reject(offer, reason)
  M.execute(offer, "suture.reject", { reason = reason or "" }, function()
    say.info("rejected: " .. offer.title)
  end)
end

---@type {title: string, run: fun(offer: suture.Offer)}[]
local CHOICES = {
  {
    title = "Show the diff",
    run = function(offer)
      require("suture.diff").open(offer)
    end,
  },
  {
    title = "Preview in the text",
    run = function(offer)
      require("suture.preview").show(offer, true)
    end,
  },
  {
    title = "Accept",
    run = function(offer)
      M.accept(offer)
    end,
  },
  {
    title = "Reject",
    run = function(offer)
      M.reject(offer)
    end,
  },
  {
    title = "Show the episode",
    run = function(offer)
      M.execute(offer, "suture.showEpisode", {})
    end,
  },
}

---Ask what to do with an offer.
---@param offer suture.Offer
function M.decide(offer)
  local options = {
    prompt = offer.title,
    kind = "suture_decision",
    format_item = function(choice)
      return choice.title
    end,
  }
  vim.ui.select(CHOICES, options, function(choice)
    if choice then
      choice.run(offer)
    end
  end)
end

return M
