---@type suture.Command
return {
  about = "end the worker process and begin anew; `server` restarts the language server itself",
  run = function(arguments)
    local api, start = require("suture.client"), require("suture.start")
    local client = api.current()
    if not client then
      start.enable(true)
    elseif arguments[1] == "server" then
      start.enable(false)
      vim.wait(5000, function()
        return api.current() == nil
      end, 50)
      start.enable(true)
    else
      api.execute(client, "suture.restart", {}, function()
        require("suture.say").info("restarted")
      end)
    end
  end,
  complete = function()
    return { "server" }
  end,
}
