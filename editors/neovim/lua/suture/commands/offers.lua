---@type suture.Command
return {
  about = "choose among the fixes that are offered",
  run = function()
    local offers = require("suture.offers")
    local standing = offers.standing()
    if #standing > 0 then
      offers.choose(standing, offers.decide)
    elseif require("suture.client").wanted() then
      require("suture.say").info("there is no offer")
    end
  end,
}
