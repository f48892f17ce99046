---@type suture.Command
return {
  about = "repair what fails at the cursor",
  run = function()
    require("suture.fixing").fix()
  end,
}
