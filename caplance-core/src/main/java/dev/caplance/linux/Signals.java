package dev.caplance.linux;

import java.lang.reflect.Proxy;

/**
 * Handlers of signals. The class of the JDK for it is meant for everybody (module jdk.unsupported),
 * but its mere mention is a compiler warning that cannot be turned off; hence the reflection.
 */
public final class Signals {

  private Signals() {}

  /**
   * Runs this, each time on a thread of its own, whenever the signal comes, instead of what the
   * virtual machine would do.
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
      throw new IllegalStateException("this virtual machine has no handlers of signals", e);
    }
  }
}
