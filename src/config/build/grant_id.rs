//! The id of a grant that was not given one: derived from its key, so that it is the same after
//! every reload and in every replica.

use aws_lc_rs::digest::{SHA256, digest};

use crate::policy::{Audience, GrantId, Holder, SubjectType};

/// Auth0's shape: `cgr_` and this many letters and digits.
const LENGTH: usize = 16;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Derives the id from the key of a grant. The issuer is empty where it cannot be told: such a grant does
/// not count.
pub(in crate::config) fn derive(
    issuer: &str,
    holder: &Holder,
    api: &Audience,
    subject_type: SubjectType,
) -> Option<GrantId> {
    let (kind, client) = match holder {
        Holder::Client(client) => ("client", client.as_str()),
        Holder::ThirdPartyClients => ("third_party_clients", ""),
    };
    // No name holds a line end, so that no two keys make one text.
    let key = [issuer, kind, client, api.as_str(), subject_type.as_str()].join("\n");
    let hash = digest(&SHA256, key.as_bytes());
    let mut id = String::from("cgr_");
    id.extend(hash.as_ref().iter().take(LENGTH).filter_map(|byte| {
        // 256 is no multiple of 62: four letters are a little likelier, which harms nothing.
        LETTERS.get(usize::from(*byte) % LETTERS.len()).copied().map(char::from)
    }));
    GrantId::new(&id).ok()
}

#[cfg(test)]
mod tests {
    use crate::policy::ClientId;

    use super::*;

    #[test]
    fn an_id_depends_on_the_whole_key_alone() {
        let api = Audience::new("https://api.example").unwrap();
        let client = Holder::Client(ClientId::new("web").unwrap());
        let id = |holder, subject_type| {
            derive("https://a.example/", holder, &api, subject_type).unwrap()
        };
        assert_eq!(id(&client, SubjectType::User), id(&client, SubjectType::User));
        assert_ne!(id(&client, SubjectType::User), id(&client, SubjectType::Client));
        assert_ne!(
            id(&client, SubjectType::User),
            id(&Holder::ThirdPartyClients, SubjectType::User)
        );
        let id = id(&client, SubjectType::User);
        assert_eq!(id.as_str().len(), "cgr_".len() + LENGTH, "{id}");
    }
}
