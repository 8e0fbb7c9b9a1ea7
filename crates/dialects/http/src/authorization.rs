//! The one header that credentials come in.

use crate::Fault;
use axum::http::{HeaderMap, header};

/// Scheme and value of the `Authorization` header, without the blanks around them.
///
/// Errors: `NoCredential` without one; `Malformed` with two, of which nobody can say which
/// is meant; `BadCredential` when it is no text, or has no value.
pub fn authorization(headers: &HeaderMap) -> Result<(&str, &str), Fault> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next().ok_or(Fault::NoCredential)?;
    if fields.next().is_some() {
        return Err(Fault::Malformed(
            "more than one `Authorization` header".into(),
        ));
    }
    let text = field.to_str().map_err(|_| Fault::BadCredential)?;
    let (scheme, value) = text.trim().split_once(' ').ok_or(Fault::BadCredential)?;
    Ok((scheme, value.trim()))
}
