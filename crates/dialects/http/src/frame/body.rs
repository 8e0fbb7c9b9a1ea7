//! Bodies, never longer than their route takes.

use crate::Fault;
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a refused body is still taken in, and for how long.
const DRAIN: usize = 16 * 1024 * 1024;
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Refuses by the declared length, before anything else is looked at.
pub fn check_declared(headers: &HeaderMap, limit: usize) -> Result<(), Fault> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    match declared {
        Some(length) if length > limit as u64 => Err(Fault::BodyTooLarge { limit }),
        _ => Ok(()),
    }
}

/// Reads a body that may have lied about its length, or not told it.
pub async fn read(mut body: Body, limit: usize) -> Result<Bytes, Fault> {
    let collected = tokio::time::timeout(PATIENCE, Limited::new(&mut body, limit).collect())
        .await
        .map_err(|_| Fault::Malformed("the request body did not arrive in time".into()))?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(Fault::BodyTooLarge { limit })
        }
        Err(_) => Err(Fault::Malformed(
            "the request body could not be read".into(),
        )),
    }
}

/// Takes in and forgets what a refused caller still sends, up to a point: one who is
/// cut off while sending sees a broken connection instead of the answer.
pub async fn drain(mut body: Body) {
    let _ = tokio::time::timeout(DRAIN_PATIENCE, async {
        let mut left = DRAIN;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_declared_length_is_enough_to_refuse() {
        let headers = |value| {
            HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from_static(value))])
        };
        assert!(check_declared(&headers("10"), 10).is_ok());
        assert!(matches!(
            check_declared(&headers("11"), 10),
            Err(Fault::BodyTooLarge { limit: 10 })
        ));
        assert!(check_declared(&HeaderMap::new(), 10).is_ok());
    }

    #[tokio::test]
    async fn a_longer_stream_is_cut() {
        assert_eq!(
            read(Body::from("0123456789"), 10).await.expect("fits"),
            "0123456789"
        );
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("01234567"), Ok("89a")]);
        let refused = read(Body::from_stream(chunks), 10).await;
        assert!(matches!(refused, Err(Fault::BodyTooLarge { .. })));
    }
}
