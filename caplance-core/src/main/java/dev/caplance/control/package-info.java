/**
 * Control of a running daemon by its operator: JSON-RPC 2.0 over a Unix stream socket, one object
 * per line of UTF-8.
 *
 * <p>{@link dev.caplance.control.ControlServer} serves a map of names to {@link
 * dev.caplance.control.ControlMethod}s and knows nothing about them; {@link
 * dev.caplance.control.ControlClient} calls them and loads no native library, so that a command
 * line starts quickly.
 *
 * <p>This use of JSON-RPC has some particulars:
 *
 * <ul>
 *   <li>A request is at most 16 KiB long. Responses may be longer.
 *   <li>Parameters are named: {@code params} is an object or absent.
 *   <li>The requests of a connection are handled in order, one at a time; to do two things at once,
 *       open two connections.
 *   <li>Batches (arrays of requests) are not supported; they get an Invalid Request error.
 *   <li>Negative error codes are those of JSON-RPC, positive codes are the methods' own, see {@link
 *       dev.caplance.control.ControlException}.
 * </ul>
 *
 * @see <a href="https://www.jsonrpc.org/specification">JSON-RPC 2.0</a>
 */
package dev.caplance.control;
