//! Constants of a configuration, as written and as PHP sees them.

use super::bench::{Before, Bench, unverified};
use crate::{Error, Result, code};
use pressroom_wordpress::{
    bridge::{Action, outcomes::Constants},
    config::{ConfigValue, Edit, Listing},
};
use serde_json::Value;

/// What a constant is, as far as it can be told.
pub(super) fn value<'a>(listing: &'a Listing, name: &str) -> Option<&'a ConfigValue> {
    let mut constants = listing.constants.iter();
    constants.find(|one| one.name == name)?.value.as_ref()
}

/// Whether PHP takes it for true; one that is not defined, or that nobody can tell, is not.
pub(super) fn is_on(listing: &Listing, name: &str) -> bool {
    value(listing, name).is_some_and(truth)
}

/// What PHP takes for true.
pub(super) fn truth(value: &ConfigValue) -> bool {
    match value {
        ConfigValue::Bool(truth) => *truth,
        ConfigValue::Int(number) => *number != 0,
        ConfigValue::Text(text) => !text.is_empty() && text != "0",
    }
}

impl Bench<'_> {
    pub(super) async fn listing(&self) -> Result<Listing> {
        Ok(self
            .session
            .list_config(self.fleet.site_ref(self.row))
            .await?)
    }

    /// What these constants are, to be put back. One that is computed is refused: what is
    /// put back must be what was there.
    pub(super) async fn constants(
        &self,
        names: &[&str],
    ) -> Result<Vec<(String, Option<ConfigValue>)>> {
        let listing = self.listing().await?;
        let mut told = Vec::new();
        for name in names {
            let found = listing.constants.iter().find(|one| one.name == *name);
            if found.is_some_and(|one| one.value.is_none()) {
                return Err(Error::invalid(format!(
                    "`{name}` in `{}` is computed and cannot be changed",
                    listing.file
                ))
                .with_code(code::UNPROCESSABLE));
            }
            told.push(((*name).to_owned(), found.and_then(|one| one.value.clone())));
        }
        Ok(told)
    }

    /// Puts constants back as they were. Where they are so, nothing is touched: what could
    /// not be changed cannot be changed back either.
    pub(super) async fn constants_back(&self, before: &Before) -> Result<()> {
        let names: Vec<&str> = before
            .constants
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        if self.constants(&names).await? == before.constants {
            return Ok(());
        }
        let back = before.constants.iter().map(|(name, value)| match value {
            Some(value) => Edit::Set {
                name: name.clone(),
                value: value.clone(),
            },
            None => Edit::Remove { name: name.clone() },
        });
        self.edit(back.collect()).await
    }

    /// Refuses constants that PHP sees otherwise; `None` is one that is not defined.
    pub(super) async fn refuse_other(&self, wanted: &[(&str, Option<ConfigValue>)]) -> Result<()> {
        let names = wanted.iter().map(|(name, _)| (*name).to_owned()).collect();
        let seen: Constants = self.ask(Action::ReadConstants { names }).await?;
        for (name, wanted) in wanted {
            let found = seen.constants.get(*name);
            let is_so = match (found, wanted) {
                (None, None) => true,
                (Some(found), Some(wanted)) => is(found, wanted),
                _ => false,
            };
            if !is_so {
                let found = found.map_or_else(|| "not defined".to_owned(), Value::to_string);
                return Err(unverified(format!("PHP sees `{name}` as {found}")));
            }
        }
        Ok(())
    }
}

fn is(found: &Value, wanted: &ConfigValue) -> bool {
    match wanted {
        ConfigValue::Bool(truth) => found.as_bool() == Some(*truth),
        ConfigValue::Int(number) => found.as_i64() == Some(*number),
        ConfigValue::Text(text) => found.as_str() == Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_phps() {
        for (value, expected) in [
            (ConfigValue::Bool(true), true),
            (ConfigValue::Int(0), false),
            (ConfigValue::Text("0".into()), false),
            (ConfigValue::Text("false".into()), true),
            (ConfigValue::Text("/x.log".into()), true),
        ] {
            assert_eq!(truth(&value), expected);
        }
    }
}
