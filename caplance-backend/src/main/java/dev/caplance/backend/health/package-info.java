/**
 * Checks the application where clients reach it: on the virtual addresses. {@link
 * dev.caplance.backend.health.HealthChecks} runs the checks and reports the application's health as
 * one code and one reason.
 */
package dev.caplance.backend.health;
