/**
 * Control of a running daemon by its operator: JSON-RPC 2.0 over a Unix stream socket, one object
 * per line of UTF-8.
 *
 * <p>{@link dev.caplance.control.ControlServer} serves a map of names to {@link
 * dev.caplance.control.ControlMethod}s and knows nothing about them; {@link
 * dev.caplance.control.ControlClient} calls them and touches nothing native, so that a command line
 * starts quickly.
 *
 * <p>What is particular about this use of JSON-RPC:
 *
 * <ul>
 *   <li>A request is at most 64 KiB long. Answers may be longer.
 *   <li>Parameters are named: {@code params} is an object or absent.
 *   <li>The requests of a connection are answered in their order, one after another; who wants two
 *       things at once opens two connections.
 *   <li>Batches (arrays of requests) are not supported; they get an Invalid Request error.
 *   <li>Codes of errors below zero are those of JSON-RPC, codes above zero are the methods' own,
 *       see {@link dev.caplance.control.ControlException}.
 * </ul>
 *
 * @see <a href="https://www.jsonrpc.org/specification">JSON-RPC 2.0</a>
 */
package dev.caplance.control;
