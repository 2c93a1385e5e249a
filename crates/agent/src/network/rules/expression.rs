//! Rules as what the kernel computes: expressions on registers (`linux/netfilter/nf_tables.h`). What comes out is what
//! `nft --debug=netlink` shows of the same text.

use super::{
    LOG_GROUP,
    encode::{ITEM, id, protocol_number},
    language::{Act, Field, Is, Test},
};
use crate::network::{netlink::message::Message, range::LINKS};

const IPV4: u8 = 2;
/// `NFT_REG_1`, of 16 bytes; those from 8 on are its fourths.
const FIRST: u32 = 1;
const FOURTHS: u32 = 8;

/// The expressions of a rule.
pub(super) struct List<'a>(pub(super) &'a mut Message);

/// What meta data of a packet are called: `NFT_META_…`.
const IN_NAME: u32 = 6;
const OUT_NAME: u32 = 7;
const FAMILY: u32 = 15;
const PROTOCOL: u32 = 16;

impl List<'_> {
    fn expression(&mut self, name: &str, fill: impl FnOnce(&mut Message)) {
        self.0.nest(ITEM, |one| {
            one.text(1, name);
            one.nest(2, fill);
        });
    }

    pub(super) fn test(&mut self, test: &Test) {
        match test {
            // Shorter than a name: what begins so.
            Test::FromGroup(is) => self.link(IN_NAME, *is, LINKS.as_bytes()),
            Test::ToGroup(is) => self.link(OUT_NAME, *is, LINKS.as_bytes()),
            Test::Answers => {
                self.state(0x2);
                // NFT_CT_DIRECTION, which has one byte: the reply
                self.conntrack(1);
                self.compare(Is::Equal, &[1]);
            }
            Test::Errors => {
                self.state(0x4);
                self.meta(PROTOCOL, FIRST);
                self.compare(Is::Equal, &[1]);
            }
            Test::Invalid => self.state(0x1),
            Test::Translated => {
                // NFT_CT_STATUS, IPS_DST_NAT
                self.conntrack(2);
                self.any(1 << 5);
            }
            Test::Local => {
                // NFT_FIB_RESULT_ADDRTYPE of NFTA_FIB_F_DADDR; RTN_LOCAL
                self.expression("fib", |fib| {
                    fib.big(1, FIRST);
                    fib.big(2, 3);
                    fib.big(3, 2);
                });
                self.compare(Is::Equal, &2_u32.to_ne_bytes());
            }
            Test::Redirect => {
                self.ipv4();
                self.meta(PROTOCOL, FIRST);
                self.compare(Is::Equal, &[1]);
                self.payload(TRANSPORT, 0, 1, FIRST);
                self.compare(Is::Equal, &[5]);
            }
            Test::Address(field, is, address) => {
                self.ipv4();
                self.field(*field, FIRST);
                self.compare(*is, &address.octets());
            }
            Test::Prefix(field, is, address, prefix) => {
                self.ipv4();
                self.field(*field, FIRST);
                let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
                self.masked(mask.to_be_bytes());
                self.compare(*is, &address.octets());
            }
            Test::Protocol(protocol) => {
                self.meta(PROTOCOL, FIRST);
                self.compare(Is::Equal, &[protocol_number(*protocol)]);
            }
            Test::Port(port) => {
                self.field(Field::Port, FIRST);
                self.compare(Is::Equal, &port.to_be_bytes());
            }
            Test::Member(fields, set) => {
                self.fields(fields);
                self.lookup(set, None);
            }
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Accept => self.verdict(1),
            Act::Drop => self.verdict(0),
            Act::Masquerade => self.expression("masq", |_| {}),
            Act::Sender(address) => {
                self.expression("immediate", |immediate| {
                    immediate.big(1, FIRST);
                    immediate.nest(2, |data| data.bytes(1, &address.octets()));
                });
                self.expression("nat", |nat| {
                    // NFT_NAT_SNAT
                    nat.big(1, 0);
                    nat.big(2, u32::from(IPV4));
                    nat.big(3, FIRST);
                });
            }
            Act::Translate(fields, map) => {
                self.fields(fields);
                self.lookup(map, Some(FIRST));
                self.expression("nat", |nat| {
                    // NFT_NAT_DNAT
                    nat.big(1, 1);
                    nat.big(2, u32::from(IPV4));
                    nat.big(3, FIRST);
                    nat.big(5, FOURTHS + 1);
                });
            }
            Act::Goto(fields, map) => {
                self.fields(fields);
                self.lookup(map, Some(0));
            }
            Act::Report(name, rate) => {
                self.expression("limit", |limit| {
                    limit.bytes(1, &u64::from(*rate).to_be_bytes());
                    // A second.
                    limit.bytes(2, &1_u64.to_be_bytes());
                    limit.big(3, *rate);
                    limit.big(4, 0);
                    limit.big(5, 0);
                });
                self.expression("log", |log| {
                    log.bytes(1, &LOG_GROUP.to_be_bytes());
                    log.text(2, name);
                    log.big(3, 64);
                });
            }
        }
    }

    fn verdict(&mut self, code: u32) {
        self.expression("immediate", |immediate| {
            immediate.big(1, 0);
            immediate.nest(2, |data| data.nest(2, |verdict| verdict.big(1, code)));
        });
    }

    fn meta(&mut self, key: u32, register: u32) {
        self.expression("meta", |meta| {
            meta.big(1, register);
            meta.big(2, key);
        });
    }

    fn conntrack(&mut self, key: u32) {
        self.expression("ct", |ct| {
            ct.big(1, FIRST);
            ct.big(2, key);
        });
    }

    fn state(&mut self, bit: u32) {
        self.conntrack(0);
        self.any(bit);
    }

    /// Any of these bits.
    fn any(&mut self, bits: u32) {
        self.masked(bits.to_ne_bytes());
        self.compare(Is::Different, &[0; 4]);
    }

    fn masked(&mut self, mask: [u8; 4]) {
        self.expression("bitwise", |bitwise| {
            bitwise.big(1, FIRST);
            bitwise.big(2, FIRST);
            bitwise.big(3, 4);
            bitwise.nest(4, |data| data.bytes(1, &mask));
            bitwise.nest(5, |data| data.bytes(1, &[0; 4]));
        });
    }

    fn compare(&mut self, is: Is, value: &[u8]) {
        self.expression("cmp", |cmp| {
            cmp.big(1, FIRST);
            cmp.big(2, u32::from(is == Is::Different));
            cmp.nest(3, |data| data.bytes(1, value));
        });
    }

    fn link(&mut self, key: u32, is: Is, name: &[u8]) {
        self.meta(key, FIRST);
        self.compare(is, name);
    }

    fn ipv4(&mut self) {
        self.meta(FAMILY, FIRST);
        self.compare(Is::Equal, &[IPV4]);
    }

    fn payload(&mut self, base: u32, offset: u32, length: u32, register: u32) {
        self.expression("payload", |payload| {
            payload.big(1, register);
            payload.big(2, base);
            payload.big(3, offset);
            payload.big(4, length);
        });
    }

    fn field(&mut self, field: Field, register: u32) {
        match field {
            Field::Link => self.meta(IN_NAME, register),
            Field::Out => self.meta(OUT_NAME, register),
            Field::From => self.payload(NETWORK, 12, 4, register),
            Field::To => self.payload(NETWORK, 16, 4, register),
            Field::Protocol => self.meta(PROTOCOL, register),
            Field::Port => self.payload(TRANSPORT, 2, 2, register),
        }
    }

    /// All of them behind each other, from the first register on.
    fn fields(&mut self, fields: &[Field]) {
        if fields.iter().any(|field| matches!(field, Field::From | Field::To)) {
            self.ipv4();
        }
        let mut word = FOURTHS;
        for field in fields {
            self.field(*field, if word == FOURTHS { FIRST } else { word });
            word += field.words();
        }
    }

    fn lookup(&mut self, set: &str, gives: Option<u32>) {
        self.expression("lookup", |lookup| {
            lookup.text(1, set);
            lookup.big(2, FIRST);
            if let Some(register) = gives {
                lookup.big(3, register);
            }
            lookup.big(4, id(set));
        });
    }
}

/// Where fields of a packet are counted from: `NFT_PAYLOAD_…_HEADER`.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
