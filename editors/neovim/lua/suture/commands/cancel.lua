---@type suture.Command
return {
  about = "end all repairs that run or wait",
  run = function()
    local api, say = require("suture.client"), require("suture.say")
    local client = api.wanted()
    if client then
      api.execute(client, "suture.cancel", {}, function(answer)
        say.info(answer.cancelled == 0 and "nothing runs" or ("%d cancelled"):format(answer.cancelled))
      end)
    end
  end,
}
