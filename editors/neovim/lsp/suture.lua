-- The configuration that `vim.lsp.enable("suture")` finds. Neovim's own capabilities are sent, and what Neovim cannot do, such as
-- greyed-out code actions, the server leaves out. But Neovim does not say that it takes edits with versions, which it does: without them
-- lua/suture/edit.lua could not tell that a text is newer than an edit.
local options = require("suture.config").options

---@type vim.lsp.Config
return {
  cmd = options.cmd,
  filetypes = { "python" },
  root_markers = { "suture.toml", "suture.lock", "pyproject.toml", "setup.cfg", "setup.py", ".git" },
  init_options = { offers = true, status = true },
  settings = { suture = options.settings },
  handlers = require("suture.handlers"),
  commands = require("suture.fixing").client_commands,
  before_init = function(params)
    params.capabilities = vim.tbl_deep_extend("force", params.capabilities, { workspace = { workspaceEdit = { documentChanges = true } } })
    params.initializationOptions.trusted = require("suture.config").trusts(params.rootPath)
  end,
  on_exit = function(_, _, client_id)
    vim.schedule(function()
      require("suture.offers").forget(client_id)
      require("suture.status").forget(client_id)
    end)
  end,
}
