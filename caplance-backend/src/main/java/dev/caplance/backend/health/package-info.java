/**
 * Checks of the application, where clients meet it: on the virtual addresses. {@link
 * dev.caplance.backend.health.HealthChecks} runs them and says with one code and reason whether the
 * application is fit; it does not know who listens.
 */
package dev.caplance.backend.health;
