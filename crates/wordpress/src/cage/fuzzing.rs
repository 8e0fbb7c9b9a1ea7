//! See [`crate::fuzzing`].

use super::gate::{
    packet::{self, Message},
    statement::Territory,
};
use crate::database::sql::Server;

/// Whether a clone whose tables begin with `prr0_` may say this beside live tables of these
/// names.
pub fn passes(statement: &[u8], live: &[&str], mariadb: bool, version: u32) -> bool {
    let territory = Territory {
        prefix: "prr0_".to_owned(),
        database: "shop".to_owned(),
        live: live.iter().map(|name| (*name).to_owned()).collect(),
        server: Server { mariadb, version },
    };
    territory.judge(statement).is_ok()
}

/// Reads messages as a relay does; how many there were. What is read is written the same.
pub fn messages(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(Some(message)) = Message::read(&mut bytes) {
        let mut again = Vec::new();
        let written = message.write(&mut again);
        let read = Message::read(&mut again.as_slice());
        assert!(
            written.is_ok() && matches!(read, Ok(Some(same)) if same == message),
            "a message changes on its way"
        );
        let _ = packet::greeting(&message.payload);
        let _ = packet::answer(&message.payload);
        count += 1;
    }
    count
}
