//! Every constant of a configuration, for people to look at.

use super::{ConfigValue, Source, evaluate, locate};
use crate::{Result, home::Home, watch::Watch};
use pressroom_phpdata::wp_config::{self, Value, WpConfig};
use serde::{Deserialize, Serialize};

/// What a configuration defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The file, relative to the home.
    pub file: String,
    /// How it was learned.
    pub source: Source,
    /// By name.
    pub constants: Vec<ListedConstant>,
    /// `$table_prefix`; `None` when it is unknown or not set.
    pub table_prefix: Option<String>,
    /// Whether there may be more than is listed.
    pub may_be_more: bool,
    /// Why an evaluation gave nothing.
    pub trouble: Option<String>,
}

/// One constant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedConstant {
    /// Its name.
    pub name: String,
    /// Its value; `None` when it is unknown, no text or number, or `null`.
    pub value: Option<ConfigValue>,
    /// Whether the value is a secret: a password, a key, a salt.
    pub secret: bool,
}

impl std::fmt::Debug for ListedConstant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.value.as_ref().filter(|_| !self.secret);
        f.debug_struct("ListedConstant")
            .field("name", &self.name)
            .field("value", &value)
            .finish_non_exhaustive()
    }
}

/// Lists what the configuration of the WordPress in `root` defines; evaluated with
/// `php`, if given, where reading leaves anything open.
pub fn list(home: &Home, root: &str, php: Option<&str>, watch: &Watch) -> Result<Listing> {
    let located = locate(home, root)?;
    let mut config = wp_config::parse_at(&located.bytes, &located.place);
    let mut source = Source::Read;
    let mut trouble = None;
    let open = config.may_define_more()
        || config
            .constants()
            .any(|(_, value)| *value == Value::Unknown);
    if open && let Some(php) = php {
        match evaluate::evaluate(home, &located, php, watch)? {
            Ok(evaluated) => {
                config = evaluated;
                source = Source::Evaluated;
            }
            Err(why) => trouble = Some(why),
        }
    }
    Ok(Listing {
        file: located.path,
        source,
        constants: constants(&config),
        table_prefix: config.table_prefix().and_then(Value::text),
        may_be_more: config.may_define_more(),
        trouble,
    })
}

fn constants(config: &WpConfig) -> Vec<ListedConstant> {
    config
        .constants()
        .map(|(name, value)| ListedConstant {
            name: name.to_owned(),
            value: match value {
                Value::Bool(truth) => Some(ConfigValue::Bool(*truth)),
                Value::Int(number) => Some(ConfigValue::Int(*number)),
                Value::Text(_) => value.text().map(ConfigValue::Text),
                Value::Null | Value::Unknown => None,
            },
            secret: is_secret(name),
        })
        .collect()
}

/// Names that are said to hold secrets, whoever made them up.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "PASS",
        "KEY",
        "SALT",
        "SECRET",
        "TOKEN",
        "CREDENTIAL",
        "PWD",
    ]
    .iter()
    .any(|part| name.contains(part))
}
