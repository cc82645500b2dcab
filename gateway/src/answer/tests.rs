use super::*;

fn answer(refusal: &Refusal, channel: Option<&str>) -> Refused {
    let contact = Some("platform@example.com");
    refusal.answer(&Context { channel, contact, request_id: "r1" })
}

#[test]
fn w16_the_body_has_the_documented_form() {
    let at = Timestamp::from_millis(1_793_534_400_000);
    let refusal = Refusal::Undecided(Undecided::Denied(Denied::Expired(at)));
    let refused = answer(&refusal, Some("analytics"));
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.headers.text(AnswerField::WwwAuthenticate),
        Some("Bearer realm=\"condagate\"")
    );
    assert_eq!(
        std::str::from_utf8(&refused.body).unwrap(),
        r#"{"error":"token-expired","reason":"Token expired","message":"The token expired on 2026-11-01. For a new one, ask platform@example.com.","request_id":"r1"}"#
    );
}

#[test]
fn a_refusal_that_a_retry_may_mend_says_when() {
    for refusal in [
        Refusal::Undecided(Undecided::Busy),
        Refusal::Undecided(Undecided::Unreachable),
        Refusal::Undecided(Undecided::LeaseEnded),
        Refusal::Storage(FaultKind::Unreachable),
        Refusal::Limited(Exceeded::Requests),
    ] {
        let refused = answer(&refusal, None);
        assert!(refused.headers.has(AnswerField::RetryAfter), "{refusal:?}");
    }
}
