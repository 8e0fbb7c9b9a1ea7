//! What the DNS says of a name.

use hickory_resolver::{
    TokioResolver,
    config::{
        ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig,
        ResolverOpts,
    },
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameServer {
    /// Those of this machine.
    #[default]
    Machine,
    /// This one.
    At(SocketAddr),
    /// Nobody.
    None,
}

/// What a name has, each kind in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// IPv4 addresses.
    pub a: Vec<String>,
    /// IPv6 addresses.
    pub aaaa: Vec<String>,
    /// Name servers of the zone that the name is in.
    pub ns: Vec<String>,
}

impl Records {
    /// Each kind by its name in the DNS.
    pub fn kinds(&self) -> [(&'static str, &[String]); 3] {
        [("A", &self.a), ("AAAA", &self.aaaa), ("NS", &self.ns)]
    }
}

/// Looks names up. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Names {
    resolver: Result<Arc<TokioResolver>, String>,
}

impl Names {
    /// Asks this server.
    pub fn new(server: NameServer) -> Self {
        let resolver = match server {
            NameServer::None => Err("nobody is configured to be asked".to_owned()),
            NameServer::Machine => TokioResolver::builder_tokio()
                .map_err(|error| format!("this machine names no servers: {error}"))
                .map(|builder| builder.with_options(options()).build()),
            NameServer::At(addr) => {
                let connection = |protocol| {
                    let mut connection = ConnectionConfig::new(protocol);
                    connection.port = addr.port();
                    connection
                };
                let server = NameServerConfig::new(
                    addr.ip(),
                    true,
                    vec![
                        connection(ProtocolConfig::Udp),
                        connection(ProtocolConfig::Tcp),
                    ],
                );
                let config = ResolverConfig::from_name_servers(vec![server]);
                let builder =
                    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
                Ok(builder.with_options(options()).build())
            }
        };
        let resolver = resolver.and_then(|made| made.map_err(|error| error.to_string()));
        Self {
            resolver: resolver.map(Arc::new),
        }
    }

    /// What a name has. A name of nothing has empty lists; that nobody could be asked is
    /// an error, in a sentence.
    pub async fn records(&self, name: &str) -> Result<Records, String> {
        let resolver = self.resolver.as_ref().map_err(Clone::clone)?;
        let (a, aaaa, ns) = tokio::join!(
            ask(resolver, name, RecordType::A),
            ask(resolver, name, RecordType::AAAA),
            zone(resolver, name),
        );
        Ok(Records {
            a: a?,
            aaaa: aaaa?,
            ns: ns?,
        })
    }
}

/// The name servers of the nearest name above that has some.
async fn zone(resolver: &TokioResolver, name: &str) -> Result<Vec<String>, String> {
    let mut rest = name.trim_end_matches('.');
    loop {
        let found = ask(resolver, rest, RecordType::NS).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        match rest.split_once('.') {
            // The top of the tree says nothing of a site.
            Some((_, above)) if above.contains('.') => rest = above,
            _ => return Ok(Vec::new()),
        }
    }
}

async fn ask(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
) -> Result<Vec<String>, String> {
    // The dot keeps a machine's search list out of it.
    let whole = format!("{}.", name.trim_end_matches('.'));
    let answer = match resolver.lookup(whole.as_str(), kind).await {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
        Err(error) => return Err(format!("the name servers did not answer: {error}")),
    };
    let mut found: Vec<String> = answer
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(ip) if kind == RecordType::A => Some(ip.to_string()),
            RData::AAAA(ip) if kind == RecordType::AAAA => Some(ip.to_string()),
            RData::NS(server) if kind == RecordType::NS => Some(
                server
                    .to_string()
                    .trim_end_matches('.')
                    .to_ascii_lowercase(),
            ),
            _ => None,
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = TIMEOUT;
    options.attempts = ATTEMPTS;
    // What is asked is whether anything changed.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::Name;
    use hickory_resolver::proto::{
        op::{Message, ResponseCode},
        rr::{
            Record,
            rdata::{A, NS},
        },
        serialize::binary::{BinDecodable, BinEncodable},
    };
    use std::str::FromStr;

    /// Knows `www.shop.example`, and the zone `shop.example`.
    async fn server() -> SocketAddr {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut bytes = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                let asked = Message::from_bytes(&bytes[..length]).unwrap();
                let query = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
                answer.add_query(query.clone());
                let name = query.name().clone();
                let text = name.to_string().to_ascii_lowercase();
                match (text.as_str(), query.query_type()) {
                    ("www.shop.example.", RecordType::A) => {
                        for ip in ["192.0.2.9", "192.0.2.1"] {
                            let ip = A(ip.parse().unwrap());
                            answer.add_answer(Record::from_rdata(name.clone(), 60, RData::A(ip)));
                        }
                    }
                    ("shop.example.", RecordType::NS) => {
                        let ns = NS(Name::from_str("NS1.host.example.").unwrap());
                        answer.add_answer(Record::from_rdata(name, 60, RData::NS(ns)));
                    }
                    ("gone.example.", _) => answer.metadata.response_code = ResponseCode::NXDomain,
                    ("broken.example.", _) => {
                        answer.metadata.response_code = ResponseCode::ServFail;
                    }
                    _ => {}
                }
                let _gone = socket.send_to(&answer.to_bytes().unwrap(), from).await;
            }
        });
        addr
    }

    #[tokio::test]
    async fn records_are_in_order_and_the_zone_is_found_above() {
        let names = Names::new(NameServer::At(server().await));
        let found = names.records("www.shop.example").await.unwrap();
        assert_eq!(found.a, ["192.0.2.1", "192.0.2.9"]);
        assert!(found.aaaa.is_empty());
        assert_eq!(found.ns, ["ns1.host.example"]);
        assert_eq!(names.records("gone.example").await, Ok(Records::default()));
        assert!(
            names.records("broken.example").await.is_err(),
            "no answer is no change"
        );
        assert!(
            Names::new(NameServer::None)
                .records("a.example")
                .await
                .is_err()
        );
    }
}
