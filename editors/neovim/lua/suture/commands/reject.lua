local offers = require("suture.offers")

---@type suture.Command
return {
  about = "dismiss an offered fix, with a reason if you like",
  run = function(arguments)
    local named = offers.get(arguments[1] or "")
    local reason = table.concat(vim.list_slice(arguments, named and 2 or 1), " ")
    offers.pick(named and named.id, function(offer)
      offers.reject(offer, reason)
    end)
  end,
  complete = function(arguments)
    return #arguments == 0 and require("suture.commands.diff").complete(arguments) or {}
  end,
}
