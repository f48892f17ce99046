---@type suture.Command
return {
  about = "read what the server and this plugin said",
  run = function()
    local lines = vim.list_extend({}, require("suture.say").kept())
    vim.list_extend(lines, { "", "The server's own log is among those of Neovim's language clients: " .. vim.lsp.get_log_path() })
    vim.cmd("botright 12new")
    local bufnr = vim.api.nvim_get_current_buf()
    vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
    vim.bo[bufnr].buftype, vim.bo[bufnr].bufhidden, vim.bo[bufnr].modifiable = "nofile", "wipe", false
    vim.wo[0][0].wrap = true
    vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, nowait = true, desc = "suture: close" })
    vim.api.nvim_win_set_cursor(0, { math.max(1, #lines - 2), 0 })
  end,
}
