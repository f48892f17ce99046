local say = require("suture.say")

---@param answer {checks: {name: string, status: string, findings: integer}[], refused?: string}
local function told(answer)
  if answer.refused then
    say.warn(answer.refused)
    return
  end
  local found = vim.tbl_map(function(check)
    return check.status == "failed" and ("%s: %d"):format(check.name, check.findings) or ("%s %s"):format(check.name, check.status)
  end, answer.checks)
  say.info(#found > 0 and table.concat(found, ", ") or "there are no checks")
end

---@type suture.Command
return {
  about = "run the checks of the workspace now",
  run = function()
    local api = require("suture.client")
    local client = api.wanted()
    if client then
      api.execute(client, "suture.check", api.here(), told)
    end
  end,
}
