---@type suture.Command
return {
  about = "let the workspace run its checks, where `trusted` did not; `off` takes it back",
  run = function(arguments)
    local api = require("suture.client")
    local client = api.wanted()
    if client then
      api.notify(client, "suture/trust", { trusted = arguments[1] ~= "off" })
    end
  end,
  complete = function()
    return { "off" }
  end,
}
