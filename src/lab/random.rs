//! Random references and uuids.

use rustls::crypto::ring::default_provider;

/// A reference as the server makes them.
pub(super) fn reference() -> String {
    format!("OpaqueRef:{}", uuid())
}

/// A random uuid (version 4).
pub(super) fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    if default_provider().secure_random.fill(&mut bytes).is_err() {
        // No randomness from the system: distinct is enough here, these guard nothing outside of loopback.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        bytes[8..].copy_from_slice(&next.to_be_bytes());
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
