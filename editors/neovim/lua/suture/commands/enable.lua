---@type suture.Command
return {
  about = "start the server for Python files; `off` stops it",
  run = function(arguments)
    require("suture.start").enable(arguments[1] ~= "off")
  end,
  complete = function()
    return { "off" }
  end,
}
