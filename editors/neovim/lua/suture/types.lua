---@meta

---@alias suture.OnOffer "notify"|"select"|"diff"|"preview"|"nothing"|fun(offer: suture.Offer)

---@class suture.Options
---@field cmd? string[] How the server is started
---@field settings? table<string, any> Settings as in suture.toml, nested or dotted; they go before the files
---@field trusted? boolean|fun(root: string?): boolean Whether a workspace may run anything; `:Suture trust` allows it later
---@field on_offer? suture.OnOffer What happens when a fix is proven
---@field progress? boolean Tell what a repair does on the line for messages
---@field save? boolean Write the files of a fix when it is accepted

---@alias suture.OfferState "ready"|"moved"|"proving"|"applying"|"accepted"|"rejected"|"expired"|"withdrawn"

---@class suture.OfferFile
---@field uri string
---@field path string
---@field kind "change"|"create"|"delete"
---@field added integer
---@field removed integer

---@class suture.Offer As docs/language-server.md describes it
---@field id string
---@field root string
---@field problem string
---@field check string
---@field title string
---@field proven string[]
---@field files suture.OfferFile[]
---@field diff string
---@field policy string
---@field seconds number
---@field episode string
---@field state suture.OfferState
---@field client_id integer Added here: the client that told it

---@class suture.DiffFile
---@field uri string
---@field path string
---@field before string|vim.NIL
---@field after string|vim.NIL

---@class suture.Status As docs/language-server.md describes it
---@field root string
---@field checking string[]
---@field repairing integer
---@field queued integer
---@field offers integer
---@field problems integer What fails and has no offer
---@field policy "unknown"|"ready"|"down"
---@field trusted boolean
---@field message string

---@class suture.Command A file of lua/suture/commands
---@field about string One line for the help
---@field run fun(arguments: string[])
---@field complete? fun(arguments: string[]): string[] What may follow the words that are there
