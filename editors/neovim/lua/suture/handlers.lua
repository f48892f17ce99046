-- What the server tells and asks, where Neovim's own way is missing or would get in the way.
local say = require("suture.say")

local LEVELS = { say.error, say.warn, say.info, say.info }

---@type table<string, lsp.Handler>
return {
  ["suture/offer"] = function(_, told, context)
    require("suture.offers").told(told, context.client_id)
  end,

  ["suture/status"] = function(_, told, context)
    require("suture.status").told(told, context.client_id)
  end,

  ["workspace/applyEdit"] = function(err, params, context)
    return require("suture.edit").apply(err, params, context)
  end,

  ["window/logMessage"] = function(err, params, context)
    say.keep(params.message)
    return vim.lsp.handlers["window/logMessage"](err, params, context)
  end,

  ["window/showMessage"] = function(_, params)
    (LEVELS[params.type] or say.info)(params.message)
  end,

  -- With offers told by `suture/offer` the server only asks whether to show what was tried in vain. Neovim would stop a person who types
  -- for that; a message that names the command does not.
  ["window/showMessageRequest"] = function(_, params)
    say.warn(params.message .. " (:Suture episode shows what was tried)")
    return vim.NIL
  end,
}
