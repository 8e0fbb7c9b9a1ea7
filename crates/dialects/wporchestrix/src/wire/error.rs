//! Errors (§1.1).

use pressroom_fleet::Problem;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorOut {
    /// What is wrong.
    error: String,
    /// What is wrong with which field, where a value cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<BTreeMap<String, Vec<String>>>,
}

impl ErrorOut {
    /// An error with this text.
    pub const fn new(error: String) -> Self {
        Self {
            error,
            errors: None,
        }
    }

    /// Several values that cannot be.
    pub fn of_problems(error: String, problems: &[Problem]) -> Self {
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for problem in problems {
            let texts = errors.entry(problem.field.to_owned()).or_default();
            texts.push(problem.text.clone());
        }
        Self {
            error,
            errors: Some(errors),
        }
    }

    /// A field that cannot be so: `Otp attempt is invalid`.
    pub fn of_member(path: &str, problem: &str) -> Self {
        let mut name = path.rsplit('.').next().unwrap_or(path).replace('_', " ");
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            error: format!("{name} is invalid"),
            errors: Some(BTreeMap::from([(
                path.to_owned(),
                vec![problem.to_owned()],
            )])),
        }
    }
}
