package dev.caplance.lb.registry;

import java.time.Duration;

/**
 * A registered backend and how long ago its last line came, for people and programs that ask.
 *
 * @param silence not negative
 */
public record RegistryEntry(BackendView backend, Duration silence) {}
