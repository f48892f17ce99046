-- What a configuration calls. Loading it starts nothing.
local M = {}

---Take options and start the server for Python files.
---@param options? suture.Options
function M.setup(options)
  require("suture.config").set(options or {})
  M.enable()
end

---Start the server for the buffers that are open and those that are opened later.
---@param on? boolean false stops it
function M.enable(on)
  require("suture.start").enable(on ~= false)
end

---What goes on, in a few words, for a statusline: empty where there is nothing to say.
---@return string
function M.status()
  return require("suture.status").line()
end

---The offers that stand, oldest first.
---@return suture.Offer[]
function M.offers()
  return require("suture.offers").standing()
end

return M
