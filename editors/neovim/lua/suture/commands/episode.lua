local function told(answer)
  if answer and answer.refused then
    require("suture.say").info(answer.refused)
  end
end

---@param episode {id: string, created: number, check: string, outcome: string, reason: string, seconds: number}
local function label(episode)
  local made = os.date("%Y-%m-%d %H:%M", math.floor(episode.created))
  local why = episode.reason ~= "" and ": " .. episode.reason or ""
  return ("%s  %s, %s%s  (%.0f s)"):format(made, episode.check, episode.outcome, why, episode.seconds)
end

---What is decided, or was not repaired, has no offer any more: the latest episodes, to choose from.
---@param client vim.lsp.Client
local function latest(client)
  local api = require("suture.client")
  api.execute(client, "suture.episodes", api.workspace(client), function(found)
    if #found == 0 then
      require("suture.say").info("no episode is known yet")
      return
    end
    vim.ui.select(found, { prompt = "Episodes:", kind = "suture_episode", format_item = label }, function(chosen)
      if chosen then
        api.execute(client, "suture.showEpisode", { root = chosen.root, episode = chosen.id }, told)
      end
    end)
  end)
end

---@type suture.Command
return {
  about = "read what the agent did: for the problem at the cursor, an offer, or an earlier one",
  run = function(arguments)
    local api, offers = require("suture.client"), require("suture.offers")
    local problem = require("suture.fixing").problem()
    local client = api.wanted()
    if client and problem and not arguments[1] then
      api.execute(client, "suture.showEpisode", { problem = problem }, told)
    elseif client and not arguments[1] and #offers.standing() == 0 then
      latest(client)
    elseif client then
      offers.pick(arguments[1], function(offer)
        offers.execute(offer, "suture.showEpisode", {}, told)
      end)
    end
  end,
  complete = function()
    return require("suture.commands.diff").complete({})
  end,
}
