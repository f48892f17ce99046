-- Defines `:Suture` and the <Plug> mappings, and loads nothing else: the rest comes with the first use.
if vim.g.loaded_suture then
  return
end
vim.g.loaded_suture = true

vim.api.nvim_create_user_command("Suture", function(call)
  require("suture.command").run(call)
end, {
  nargs = "+",
  desc = "Repair failing checks, and decide about proven fixes",
  complete = function(lead, line)
    return require("suture.command").complete(lead, line)
  end,
})

for _, name in ipairs({ "fix", "fix_all", "check", "offers", "accept", "reject", "diff", "preview", "cancel", "episode" }) do
  vim.keymap.set("n", ("<Plug>(suture-%s)"):format(name:gsub("_", "-")), ("<Cmd>Suture %s<CR>"):format(name), { desc = "suture: " .. name })
end
