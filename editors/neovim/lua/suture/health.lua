-- `:checkhealth suture`
local start = require("suture.start")

local M = {}

local DOCTOR_MS = 60000

---@param words string[]
---@param cwd? string
---@return vim.SystemCompleted?
local function run(words, cwd)
  local ok, process = pcall(vim.system, words, { text = true, cwd = cwd })
  return ok and process:wait(DOCTOR_MS) or nil
end

local function neovim()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 1 then
    vim.health.ok("Neovim " .. tostring(vim.version()))
  elseif vim.fn.has("nvim-0.10") == 1 then
    vim.health.ok("Neovim " .. tostring(vim.version()) .. ": the server is started by an autocommand, since there is no vim.lsp.enable")
  else
    vim.health.error("Neovim 0.10 or later is needed, this is " .. tostring(vim.version()))
  end
end

---@return boolean
local function server()
  vim.health.start("The server")
  local why = start.missing()
  if why then
    vim.health.error(why, { "in a clone of suture's repository: pipx install '.[local]'" })
    return false
  end
  local program = start.cmd()[1]
  local told = run({ program, "--version" })
  local version = told and told.code == 0 and told.stdout:match("(%d+%.%d+%.%d+)")
  if not version then
    vim.health.error(("%s --version does not answer"):format(program), vim.split(told and told.stderr or "", "\n"))
    return false
  end
  if vim.version.lt(version, start.at_least) then
    vim.health.warn(("%s is suture %s; this plugin is made for %s or later"):format(program, version, start.at_least))
  else
    vim.health.ok(("%s is suture %s"):format(vim.fn.exepath(program), version))
  end
  return true
end

local function clients()
  local all = require("suture.client").all()
  if #all == 0 then
    vim.health.warn("it does not run", { "open a Python file", ":Suture enable" })
  end
  for _, client in ipairs(all) do
    local buffers = vim.tbl_count(client.attached_buffers)
    vim.health.ok(("it runs for %s (%d %s)"):format(client.root_dir or "single files", buffers, buffers == 1 and "buffer" or "buffers"))
    local unable = require("suture.status").unable(client.id)
    if unable ~= "" then
      vim.health.warn("nothing is repaired at the moment: " .. unable)
    end
  end
end

---@param event {name: string, good: boolean, says: string, remedy: string, needed: boolean}
local function examined(event)
  local text = ("%s: %s"):format(event.name, event.says)
  local advice = event.remedy ~= "" and { event.remedy } or nil
  if event.good then
    vim.health.ok(text)
  elseif event.needed then
    vim.health.error(text, advice)
  else
    vim.health.warn(text, advice)
  end
end

local function doctor()
  local client = require("suture.client").all()[1]
  local folder = client and client.root_dir or vim.fn.getcwd()
  vim.health.start("suture doctor in " .. folder)
  local told = run({ start.cmd()[1], "doctor", "--json" }, folder)
  local any = false
  for line in vim.gsplit(told and told.stdout or "", "\n", { trimempty = true }) do
    local ok, event = pcall(vim.json.decode, line)
    if ok and event.event == "examined" then
      any = true
      examined(event)
    end
  end
  if not any then
    vim.health.error("suture doctor --json does not answer", vim.split(told and told.stderr or "", "\n", { trimempty = true }))
  end
end

function M.check()
  neovim()
  if server() then
    clients()
    doctor()
  end
end

return M
