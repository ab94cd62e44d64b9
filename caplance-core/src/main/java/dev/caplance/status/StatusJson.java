package dev.caplance.status;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonIOException;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.TypeAdapter;
import com.google.gson.TypeAdapterFactory;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Writes the records of this package as JSON and reads them. Any thread may call. */
public final class StatusJson {

  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .registerTypeAdapter(String.class, new Text())
          .registerTypeAdapter(Instant.class, new Time())
          .registerTypeAdapterFactory(new Lenient())
          .create();

  private StatusJson() {}

  /** The JSON of a record of this package. */
  public static JsonElement write(Record value) {
    return GSON.toJsonTree(value);
  }

  /**
   * Writes a value as it goes along, without a copy of it in memory.
   *
   * @param value a record of this package, JSON, or null
   */
  public static void write(Object value, JsonWriter out) throws IOException {
    try {
      if (value == null) {
        GSON.toJson(JsonNull.INSTANCE, out);
      } else {
        GSON.toJson(value, value.getClass(), out);
      }
    } catch (JsonIOException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /**
   * Reads a record of this package from whatever a daemon answered; see the package's description.
   * Control characters in texts, which could play with a terminal, become question marks.
   *
   * @return never null; what cannot be read is null in it
   */
  public static <T extends Record> T read(JsonElement json, Class<T> type) {
    T value = GSON.fromJson(json, type);
    return value == null ? GSON.fromJson(new JsonObject(), type) : value;
  }

  /** The values that are known, in their order; empty when the list itself is not. */
  static <T> List<T> known(List<T> values) {
    return values == null ? List.of() : values.stream().filter(Objects::nonNull).toList();
  }

  /** The counts that are known, in their order; empty when the map itself is not. */
  static Map<String, Long> known(Map<String, Long> counts) {
    Map<String, Long> known = new LinkedHashMap<>(counts == null ? Map.of() : counts);
    known.values().removeIf(Objects::isNull);
    return Collections.unmodifiableMap(known);
  }

  /** Reads null where the value is not of the expected type. */
  private static final class Lenient implements TypeAdapterFactory {

    @Override
    public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
      TypeAdapter<T> strict = gson.getDelegateAdapter(this, type);
      TypeAdapter<JsonElement> anything = gson.getAdapter(JsonElement.class);
      return new TypeAdapter<>() {

        @Override
        public void write(JsonWriter out, T value) throws IOException {
          strict.write(out, value);
        }

        @Override
        public T read(JsonReader in) throws IOException {
          JsonElement json = anything.read(in);
          try {
            return json.isJsonNull() ? null : strict.fromJsonTree(json);
          } catch (JsonParseException
              | IllegalStateException
              | NumberFormatException
              | DateTimeException e) {
            return null;
          }
        }
      };
    }
  }

  /** Leaves a member out when it is null. To be used with {@code nullSafe = false}. */
  static final class AbsentWhenNull implements TypeAdapterFactory {

    @Override
    public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
      TypeAdapter<T> adapter = gson.getAdapter(type);
      return new TypeAdapter<>() {

        @Override
        public void write(JsonWriter out, T value) throws IOException {
          if (value != null) {
            adapter.write(out, value);
            return;
          }
          boolean nulls = out.getSerializeNulls();
          out.setSerializeNulls(false);
          out.nullValue();
          out.setSerializeNulls(nulls);
        }

        @Override
        public T read(JsonReader in) throws IOException {
          return adapter.read(in);
        }
      };
    }
  }

  private static final class Text extends TypeAdapter<String> {

    @Override
    public void write(JsonWriter out, String text) throws IOException {
      out.value(text);
    }

    @Override
    public String read(JsonReader in) throws IOException {
      StringBuilder text = new StringBuilder(in.nextString());
      for (int i = 0; i < text.length(); i++) {
        if (Character.isISOControl(text.charAt(i))) {
          text.setCharAt(i, '?');
        }
      }
      return text.toString();
    }
  }

  private static final class Time extends TypeAdapter<Instant> {

    @Override
    public void write(JsonWriter out, Instant time) throws IOException {
      out.value(time == null ? null : time.toString());
    }

    @Override
    public Instant read(JsonReader in) throws IOException {
      return Instant.parse(in.nextString());
    }
  }
}
