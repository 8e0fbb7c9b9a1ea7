//! Saying yes to a safe update, and stopping it.

use crate::{
    Console,
    errors::Failure,
    pages::{path::pipeline_id, pipelines::href},
    session::Current,
};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use pressroom_base::Timestamp;
use pressroom_fleet::pipelines::Approval;

/// `POST /pipelines/{id}/approve`
pub(crate) async fn approve(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failure> {
    let id = pipeline_id(&id)?;
    let approval = approval(fields);
    let done = console
        .fleet
        .approve_pipeline(&current.caller(), &id, approval)
        .await?;
    Ok(Redirect::to(&href(&done.id)))
}

/// `POST /pipelines/{id}/cancel`
pub(crate) async fn cancel(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let id = pipeline_id(&id)?;
    let reason = format!("cancelled in the console by {}", current.0.user.email);
    let done = console
        .fleet
        .cancel_pipeline(&current.caller(), &id, &reason)
        .await?;
    Ok(Redirect::to(&href(&done.id)))
}

/// What the form says. Where it offered a choice, nothing ticked is nothing meant.
fn approval(fields: Vec<(String, String)>) -> Approval {
    let mut approval = Approval::default();
    let mut targets = Vec::new();
    let mut chosen = false;
    for (name, value) in fields {
        match name.as_str() {
            "note" => approval.note = Some(value.trim().to_owned()),
            "target" => targets.push(value),
            "choose" => chosen = true,
            // What is no number is no plan that anybody read.
            "read" => approval.read = Some(Timestamp::from_millis(value.parse().unwrap_or(0))),
            _ => {}
        }
    }
    approval.targets = (chosen || !targets.is_empty()).then_some(targets);
    approval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_choice_means_what_is_ticked() {
        let of = |fields: &[(&str, &str)]| {
            let owned = fields.iter().map(|(name, value)| {
                let (name, value) = (*name, *value);
                (name.to_owned(), value.to_owned())
            });
            approval(owned.collect()).targets
        };
        assert_eq!(of(&[("csrf", "x"), ("note", "")]), None);
        assert_eq!(of(&[("choose", "yes")]), Some(Vec::new()));
        assert_eq!(
            of(&[("choose", "yes"), ("target", "a"), ("target", "core")]),
            Some(vec!["a".to_owned(), "core".to_owned()])
        );
    }
}
