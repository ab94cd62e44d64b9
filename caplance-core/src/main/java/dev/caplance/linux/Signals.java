package dev.caplance.linux;

import java.lang.reflect.Proxy;

/**
 * Signals, and handlers for them. The JDK's class for handlers is open to all (module
 * jdk.unsupported), but naming it causes a compiler warning that cannot be turned off; hence the
 * reflection.
 */
public final class Signals {

  private Signals() {}

  /**
   * Runs a handler whenever a signal comes, on a thread of its own, in place of what the virtual
   * machine would do.
   *
   * @param name without SIG: {@code TERM}
   */
  public static void handle(String name, Runnable handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> signalHandler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {signalHandler},
              (self, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  handler.run();
                  return null;
                }
                return method.invoke(handler, arguments);
              });
      signal
          .getMethod("handle", signal, signalHandler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this virtual machine has no signal handlers", e);
    }
  }

  /**
   * Kills the processes of a group that are left, if any (kill(2)).
   *
   * @param leader the process that the group was made for; it may have ended
   */
  public static void killGroup(long leader) {
    Libc.kill(-Math.toIntExact(leader), Libc.SIGKILL);
  }
}
