use std::io::Read as _;
use std::time::SystemTime;

use clap::ValueEnum as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::{Args, Cache, Command, Create, Keys, Paging, Place, Purge, Usage, VendorKeys};
use crate::config;
use crate::table::table;

const KEYS: &[&str] = &[
    "id",
    "tenant",
    "name",
    "allow",
    "deny",
    "limits",
    "disabled",
    "expires_at_ms",
    "last_used_at_ms",
];
const VENDOR_KEYS: &[&str] = &["provider", "alias", "hint", "version", "updated_at_ms"];
const SUMS: &[&str] = &[
    "requests",
    "failed_requests",
    "input_tokens",
    "output_tokens",
    "cost_nano_dollars",
    "unpriced_requests",
    "last_request_ms",
];

/// Does what the command line says.
pub(crate) fn run(args: Args) -> Result<(), String> {
    let json = args.json;
    let client = || Api::new(&args.url).map(|api| Client { api, json });
    match args.command {
        Command::Keys(command) => client()?.keys(command),
        Command::VendorKeys(command) => client()?.vendor_keys(command),
        Command::Tenants(paging) => {
            let columns = &["tenant", "keys", "disabled_keys", "last_used_at_ms"];
            client()?.page(
                &format!("/admin/tenants?{}", query(&paging)),
                columns,
                Value::clone,
            )
        }
        Command::Usage(usage) => client()?.usage(&usage),
        Command::Cache(Cache::Purge(purge)) => client()?.purge(&purge),
        Command::Config(command) => config::run(&command, json),
        Command::Audit(paging) => {
            let columns = &["time_ms", "actor", "action", "tenant", "subject", "detail"];
            client()?.page(&format!("/admin/audit?{}", query(&paging)), columns, Value::clone)
        }
    }
}

struct Client {
    api: Api,
    json: bool,
}

impl Client {
    fn keys(&self, command: Keys) -> Result<(), String> {
        match command {
            Keys::Create(create) => {
                let answer = self.api.send("POST", "/admin/keys", Some(&new_key(create)?))?;
                self.show_secret(&answer)
            }
            Keys::List(list) => {
                let mut path = format!("/admin/keys?{}", query(&list.paging));
                if let Some(tenant) = &list.tenant {
                    path.push_str(&format!("&tenant={}", encoded(tenant)));
                }
                self.page(&path, KEYS, key_row)
            }
            Keys::Show { id } => {
                let answer = self.api.send("GET", &key_path(&id), None)?;
                let secrets = answer["secrets"].as_array().cloned().unwrap_or_default();
                let secrets = table(&secrets, &["start", "created_at_ms", "valid_until_ms"]);
                self.tell(
                    &answer,
                    &format!("{}\n{secrets}", table(&[key_row(&answer["key"])], KEYS)),
                )
            }
            Keys::Rotate { id, grace } => {
                let body = json!({"grace_seconds": grace.seconds});
                let answer = self
                    .api
                    .send("POST", &format!("{}/rotate", key_path(&id)), Some(&body))?;
                self.show_secret(&answer)
            }
            Keys::Disable { id } => self.set_disabled(&id, true),
            Keys::Enable { id } => self.set_disabled(&id, false),
            Keys::Revoke { id } => {
                let answer = self.api.send("DELETE", &key_path(&id), None)?;
                self.tell(
                    &answer,
                    &format!("{id} is revoked; every isolate knows it within a minute\n"),
                )
            }
        }
    }

    fn vendor_keys(&self, command: VendorKeys) -> Result<(), String> {
        match command {
            VendorKeys::Set(place) => {
                let body = json!({"key": from_stdin()?});
                let answer = self.api.send("PUT", &vendor_path(&place), Some(&body))?;
                self.tell(&answer, &table(&[answer["vendor_key"].clone()], VENDOR_KEYS))
            }
            VendorKeys::List { tenant } => {
                let path = format!("/admin/tenants/{}/vendor-keys", encoded(&tenant));
                self.page(&path, VENDOR_KEYS, Value::clone)
            }
            VendorKeys::Delete(place) => {
                let answer = self.api.send("DELETE", &vendor_path(&place), None)?;
                let text = format!(
                    "the key of {} for {} is gone; the operator's is used\n",
                    place.tenant, place.provider
                );
                self.tell(&answer, &text)
            }
            VendorKeys::Reseal => loop {
                let answer = self
                    .api
                    .send("POST", "/admin/vendor-keys/reseal", Some(&json!({})))?;
                let (done, left) = (answer["resealed"].as_u64(), answer["remaining"].as_u64());
                self.tell(
                    &answer,
                    &format!(
                        "{} put under the current master key, {} left\n",
                        done.unwrap_or(0),
                        left.unwrap_or(0)
                    ),
                )?;
                if left.unwrap_or(0) == 0 || done.unwrap_or(0) == 0 {
                    return Ok(());
                }
            },
        }
    }

    fn usage(&self, usage: &Usage) -> Result<(), String> {
        let by = usage
            .by
            .to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default();
        let since = now_ms()?.saturating_sub(usage.since.seconds * 1_000);
        let mut path = format!("/admin/usage?by={by}&since_ms={since}");
        for (name, value) in [("tenant", &usage.tenant), ("key", &usage.key)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let mut columns = match by.as_str() {
            "tenant" => vec!["tenant"],
            "model" => vec!["provider", "model"],
            _ => vec!["tenant", "key"],
        };
        columns.extend(SUMS);
        self.page(&path, &columns, Value::clone)
    }

    fn purge(&self, purge: &Purge) -> Result<(), String> {
        let body = if purge.all {
            json!({"everything": true})
        } else {
            let parts = [
                ("tenant", &purge.tenant),
                ("model", &purge.model),
                ("tag", &purge.tag),
            ];
            let parts = parts
                .into_iter()
                .filter_map(|(name, part)| Some((name.to_owned(), part.as_deref()?.into())));
            Value::Object(parts.collect())
        };
        let answer = self.api.send("POST", "/admin/cache/purge", Some(&body))?;
        self.tell(&answer, "purged; every isolate knows it within 90 seconds\n")
    }

    /// Reads the settings and sends them back with the one change: the API sets all of them at once.
    fn set_disabled(&self, id: &str, disabled: bool) -> Result<(), String> {
        let mut key = self.api.send("GET", &key_path(id), None)?["key"].take();
        if let Some(fields) = key.as_object_mut() {
            fields.retain(|name, _| {
                ["name", "models", "limits", "metadata", "expires_at_ms"].contains(&name.as_str())
            });
            fields.insert("disabled".to_owned(), disabled.into());
        }
        let answer = self.api.send("PUT", &key_path(id), Some(&key))?;
        self.tell(&answer, &table(&[key_row(&answer["key"])], KEYS))
    }

    fn page(&self, path: &str, columns: &[&str], row: fn(&Value) -> Value) -> Result<(), String> {
        let answer = self.api.send("GET", path, None)?;
        let entries: Vec<_> = answer["data"].as_array().into_iter().flatten().map(row).collect();
        self.tell(&answer, &table(&entries, columns))?;
        if let Some(cursor) = answer["next_cursor"].as_str().filter(|_| !self.json) {
            eprintln!("there is more: --cursor {cursor}");
        }
        Ok(())
    }

    /// Prints a secret alone on stdout, and all else on stderr, so that a script can take it.
    fn show_secret(&self, answer: &Value) -> Result<(), String> {
        if !self.json {
            eprint!("{}", table(&[key_row(&answer["key"])], KEYS));
            eprintln!("\nThe secret, which is shown only now:");
        }
        let secret = answer["secret"].as_str().ok_or("the gateway gave no secret")?;
        self.tell(answer, &format!("{secret}\n"))
    }

    fn tell(&self, answer: &Value, text: &str) -> Result<(), String> {
        if self.json {
            println!("{answer}");
        } else {
            print!("{text}");
        }
        Ok(())
    }
}

fn new_key(create: Create) -> Result<Value, String> {
    let expires = create
        .expires_in
        .map(|span| now_ms().map(|now| now + span.seconds * 1_000))
        .transpose()?;
    let metadata: serde_json::Map<_, _> = create
        .metadata
        .into_iter()
        .map(|(label, value)| (label, value.into()))
        .collect();
    Ok(json!({
        "tenant": create.tenant, "name": create.name, "models": {"allow": create.allow, "deny": create.deny},
        "limits": create.limit, "metadata": metadata, "expires_at_ms": expires,
    }))
}

/// A key with its models as columns.
fn key_row(key: &Value) -> Value {
    let mut row = key.clone();
    if let Some(fields) = row.as_object_mut() {
        for list in ["allow", "deny"] {
            fields.insert(list.to_owned(), key["models"][list].clone());
        }
    }
    row
}

fn key_path(id: &str) -> String {
    format!("/admin/keys/{}", encoded(id))
}

fn vendor_path(place: &Place) -> String {
    let (tenant, provider, alias) = (
        encoded(&place.tenant),
        encoded(&place.provider),
        encoded(&place.alias),
    );
    format!("/admin/tenants/{tenant}/vendor-keys/{provider}?alias={alias}")
}

fn query(paging: &Paging) -> String {
    let cursor = paging
        .cursor
        .as_deref()
        .map(|cursor| format!("&cursor={}", encoded(cursor)));
    format!("limit={}{}", paging.limit, cursor.unwrap_or_default())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn from_stdin() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(16 << 10).read_to_string(&mut text);
    read.map_err(|error| format!("stdin does not read: {error}"))?;
    let key = text.trim();
    if key.is_empty() {
        return Err("nothing came on stdin; pipe the key in: edge-ai vendor-keys set … < key.txt".to_owned());
    }
    Ok(key.to_owned())
}

fn now_ms() -> Result<u64, String> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since
        .map_err(|_| "the clock of this machine is before 1970".to_owned())?
        .as_millis();
    u64::try_from(millis).map_err(|_| "the clock of this machine is far off".to_owned())
}
