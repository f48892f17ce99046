local offers = require("suture.offers")

---@type suture.Command
return {
  about = "show an offered fix in the text, or hide it again",
  run = function(arguments)
    local preview = require("suture.preview")
    offers.pick(arguments[1], function(offer)
      if not preview.clear(offer.id) then
        preview.show(offer, true)
      end
    end)
  end,
  complete = require("suture.commands.diff").complete,
}
