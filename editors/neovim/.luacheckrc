std = "luajit"
read_globals = { "vim" }
globals = { "vim.bo", "vim.wo", "vim.b", "vim.g" }
max_line_length = 140
exclude_files = { "lua/suture/types.lua" }
