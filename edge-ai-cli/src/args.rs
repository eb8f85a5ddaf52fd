use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::span::Span;

/// Manages an edge-ai gateway: its keys, its cache, and what it is configured with
#[derive(Parser)]
#[command(name = "edge-ai", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// The gateway's address
    #[arg(
        long,
        env = "EDGE_AI_URL",
        global = true,
        default_value = "http://127.0.0.1:8787"
    )]
    pub(crate) url: String,
    /// Print what was answered as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Keys that open the gateway
    #[command(subcommand)]
    Keys(Keys),
    /// Tenants' own keys for vendors
    #[command(subcommand)]
    VendorKeys(VendorKeys),
    /// Tenants that have keys
    Tenants(Paging),
    /// Requests, tokens and cost
    Usage(Usage),
    /// Kept answers
    #[command(subcommand)]
    Cache(Cache),
    /// Who changed what, the newest first
    Audit(Paging),
    /// What a gateway is configured with; asks no gateway
    #[command(subcommand)]
    Config(Config),
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Make a key; its secret is printed once
    Create(Create),
    /// The keys, the newest first
    List(List),
    /// One key
    Show { id: String },
    /// Give a key another secret
    Rotate {
        id: String,
        /// How long the earlier secret is good, such as 24h; 0s ends it at once
        #[arg(long, default_value = "24h")]
        grace: Span,
    },
    /// Turn a key off, until it is turned on again
    Disable { id: String },
    /// Turn a key on again
    Enable { id: String },
    /// End a key for good
    Revoke { id: String },
}

#[derive(ClapArgs)]
pub(crate) struct Create {
    /// Whose key it is
    #[arg(long)]
    pub(crate) tenant: String,
    /// A name for people
    #[arg(long)]
    pub(crate) name: String,
    /// A model, a route, `provider/*` or `*` that may be asked for; can be repeated
    #[arg(long, value_name = "MODEL")]
    pub(crate) allow: Vec<String>,
    /// What may not be asked for, even if it is allowed; can be repeated
    #[arg(long, value_name = "MODEL")]
    pub(crate) deny: Vec<String>,
    /// A limit or budget: '60 requests per minute', '$20 per month'; can be repeated
    #[arg(long, value_name = "LIMIT")]
    pub(crate) limit: Vec<String>,
    /// A label for records and routing, as label=value; can be repeated
    #[arg(long, value_name = "LABEL=VALUE", value_parser = label)]
    pub(crate) metadata: Vec<(String, String)>,
    /// When the key ends, from now: 90d, 12h
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires_in: Option<Span>,
}

#[derive(ClapArgs)]
pub(crate) struct List {
    /// Of this tenant alone
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(ClapArgs)]
pub(crate) struct Paging {
    /// Entries of a page, 100 at most
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
    /// Where the page before has ended
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum VendorKeys {
    /// Set a tenant's key for a vendor; the key is read from stdin
    Set(Place),
    /// A tenant's keys, without the keys
    List {
        /// Whose keys
        #[arg(long)]
        tenant: String,
    },
    /// Remove a tenant's key for a vendor
    Delete(Place),
    /// Put every key under the current master key
    Reseal,
}

#[derive(ClapArgs)]
pub(crate) struct Place {
    /// The provider's name, such as openai
    pub(crate) provider: String,
    /// Whose key
    #[arg(long)]
    pub(crate) tenant: String,
    /// Which of several keys; a request chooses with cf-aig-byok-alias
    #[arg(long, default_value = "default")]
    pub(crate) alias: String,
}

#[derive(ClapArgs)]
pub(crate) struct Usage {
    /// What is summed up
    #[arg(long, default_value = "key")]
    pub(crate) by: By,
    /// Of this tenant alone
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Of this key alone
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// How far back: 24h, 30d
    #[arg(long, default_value = "30d")]
    pub(crate) since: Span,
}

#[derive(Subcommand)]
pub(crate) enum Cache {
    /// Forget answers before their time: those that have all that is named
    Purge(Purge),
}

#[derive(ClapArgs)]
#[group(required = true, multiple = true)]
pub(crate) struct Purge {
    /// Every answer
    #[arg(long, conflicts_with_all = ["tenant", "model", "tag"])]
    pub(crate) all: bool,
    /// Those of a tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Those of a model or route, by the name that requests ask for
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Those whose request gave this tag in x-edge-ai-cache-tags
    #[arg(long)]
    pub(crate) tag: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Check a document as a gateway would; what is wrong is told with its line
    Check(Check),
    /// Print the JSON Schema of the document, for editors
    Schema,
}

#[derive(ClapArgs)]
pub(crate) struct Check {
    /// The document, TOML or JSON; `-` is stdin
    pub(crate) file: PathBuf,
    /// A provider that your Worker has beside the vendors and those in the document; can be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Key,
    Tenant,
    Model,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (label, value) = text.split_once('=').ok_or("write it as label=value")?;
    Ok((label.to_owned(), value.to_owned()))
}
