//! What the last closer look saw on offer for a site.

use super::{CheckName, finding::Kept, memory::Memory};
use crate::{Fleet, Result};
use pressroom_base::id::SiteId;
use pressroom_store::health;

impl Fleet {
    /// How many newer versions of WordPress than this one, which a site has, are on offer.
    /// `None` where the last closer look could not tell, or saw another version there.
    pub(crate) async fn core_offers(&self, site: SiteId, version: &str) -> Result<Option<u64>> {
        let store = &self.parts.store;
        let Some(memory) = health::memory(store, site).await? else {
            return Ok(None);
        };
        let Some(detail) = Memory::read(&memory).full_detail else {
            return Ok(None);
        };
        let details = health::details(store, &[detail]).await?;
        Ok(details.get(&detail).and_then(|kept| told(kept, version)))
    }
}

fn told(kept: &str, version: &str) -> Option<u64> {
    let kept: Kept = serde_json::from_str(kept).ok()?;
    if kept.wp_version.as_deref() != Some(version) {
        return None;
    }
    let updates = kept
        .checks
        .iter()
        .find(|check| check.name == CheckName::Updates)?;
    updates.data["core"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_counts_for_the_version_that_was_seen() {
        let kept = |data: &str| {
            format!(
                "{{\"wp_version\":\"6.4.5\",\"checks\":[{{\"name\":\"updates\",\
                 \"status\":\"passed\",\"message\":\"\",\"data\":{data}}}]}}"
            )
        };
        assert_eq!(told(&kept("{\"core\":1}"), "6.4.5"), Some(1));
        assert_eq!(told(&kept("{\"core\":0}"), "6.4.5"), Some(0));
        assert_eq!(told(&kept("{\"core\":1}"), "6.5.5"), None);
        assert_eq!(told(&kept("{\"core\":null}"), "6.4.5"), None);
        assert_eq!(told("{\"checks\":[]}", "6.4.5"), None);
        assert_eq!(told("?", "6.4.5"), None);
    }
}
