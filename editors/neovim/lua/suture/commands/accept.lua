local offers = require("suture.offers")

---@type suture.Command
return {
  about = "apply an offered fix, or some of its files",
  run = function(arguments)
    local named = offers.get(arguments[1] or "")
    local files = vim.list_slice(arguments, named and 2 or 1)
    offers.pick(named and named.id, function(offer)
      offers.accept(offer, files)
    end)
  end,
  complete = function(arguments)
    local named = offers.get(arguments[1] or "")
    local found = {}
    for _, offer in ipairs(named and { named } or offers.standing()) do
      if not named and #arguments == 0 then
        found[#found + 1] = offer.id
      end
      for _, file in ipairs(offer.files) do
        found[#found + 1] = file.path
      end
    end
    return found
  end,
}
