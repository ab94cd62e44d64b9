/** What operators can ask the backend, and tell it to do. */
package dev.caplance.backend.admin;
