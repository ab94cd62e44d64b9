package dev.caplance.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Logback's configuration before {@link Logging#configure} is called, and for programs that never
 * call it: warnings and errors go to standard error. Found through {@code META-INF/services};
 * without it, Logback would look for XML files and log every debug message.
 */
public final class QuietStart extends ContextAwareBase implements Configurator {

  @Override
  public ExecutionStatus configure(LoggerContext logback) {
    Logging.logToConsole(logback, Level.WARN);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }
}
