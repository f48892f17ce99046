---@type suture.Command
return {
  about = "repair all that fails in this file, or in the workspace",
  run = function(arguments)
    require("suture.fixing").fix_all(arguments[1] == "workspace")
  end,
  complete = function()
    return { "workspace" }
  end,
}
