local offers = require("suture.offers")

---@type suture.Command
return {
  about = "look at an offered fix side by side",
  run = function(arguments)
    offers.pick(arguments[1], function(offer)
      require("suture.diff").open(offer)
    end)
  end,
  complete = function()
    return vim.tbl_map(function(offer)
      return offer.id
    end, offers.standing())
  end,
}
