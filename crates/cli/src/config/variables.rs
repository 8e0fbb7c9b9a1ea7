//! Reading the environment.

use super::{
    Error, Key, Origin,
    keys::{KEYS, nearest},
    value::Layer,
};
use pressroom_base::catalog::env;

/// The values of the variables that belong to the configuration. One with the form
/// `PRESSROOM_…__…` that is none of ours is refused: it was meant for us.
pub(super) fn read(variables: &[(String, String)]) -> Result<Layer, Error> {
    let mut layer = Layer::new();
    for (name, text) in variables {
        let short = (name == env::LOG)
            .then(|| Key::find("log", "filter"))
            .flatten();
        let key = short.or_else(|| KEYS.iter().find(|key| key.variable() == *name));
        let origin = Origin::Variable(name.clone());
        match key {
            Some(key) => {
                let value = key.shape.parse(text);
                key.shape.check(&value).map_err(|expected| {
                    Error::new(format!("`{}` must be {expected}", key.path())).at(origin.clone())
                })?;
                // The long form says more exactly what is meant.
                if short.is_some() && layer.contains_key(&key.path()) {
                    continue;
                }
                layer.insert(key.path(), (value, origin));
            }
            None if name.starts_with("PRESSROOM_") && name.contains("__") => {
                return Err(Error::new(format!("unknown environment variable `{name}`"))
                    .maybe_hint(nearest(name, KEYS.iter().map(Key::variable))));
            }
            None => {}
        }
    }
    Ok(layer)
}
